import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCES = { hotcold: 'test/lab/workloads/hotcold.c', floor: 'bench/floor.c' } as const;

/** Paths of the C programs, compiled for as long as this process lives; undefined without a compiler. */
export function compilePrograms(): Record<keyof typeof SOURCES, string> | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'pagepulse-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const compiled = (name: keyof typeof SOURCES) => {
    const path = join(folder, name);
    execFileSync('cc', ['-O2', '-pthread', '-o', path, join(ROOT, SOURCES[name])], { stdio: 'inherit' });
    return path;
  };
  try {
    return { hotcold: compiled('hotcold'), floor: compiled('floor') };
  } catch {
    return undefined;
  }
}
