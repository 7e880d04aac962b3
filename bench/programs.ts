import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCES = { hotcold: 'test/lab/workloads/hotcold.c', floor: 'bench/floor.c' } as const;

/** Compiles the C programs, and returns their paths; undefined without a compiler. They are removed when this process exits. */
export function compilePrograms(): Record<keyof typeof SOURCES, string> | undefined {
  const hotcold = compileProgram(SOURCES.hotcold);
  const floor = hotcold && compileProgram(SOURCES.floor);
  return hotcold && floor ? { hotcold, floor } : undefined;
}

/** The same for one program, by the path of its source in this repository. */
export function compileProgram(source: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'pagepulse-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, basename(source, '.c'));
  try {
    execFileSync('cc', ['-O2', '-pthread', '-o', path, join(ROOT, source)], { stdio: 'inherit' });
    return path;
  } catch {
    return undefined;
  }
}
