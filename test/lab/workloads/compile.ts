import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../kernel/image.js';
import { requireTools } from '../machine/tools.js';

const SOURCES = join(ROOT, 'test/lab/workloads');
const FLAGS = ['-O2', '-Wall', '-Wextra', '-Werror', '-pthread'];

/** Compiles every workload into a folder; `hotcold-static` is hotcold with few mappings. And `pagepulse`, this checkout's. */
export function compileWorkloads(bin: string): void {
  requireTools({ gcc: 'gcc libc6-dev' });
  const compile = (source: string, name: string, ...more: string[]) =>
    execFileSync('gcc', [...FLAGS, ...more, '-o', join(bin, name), join(SOURCES, source)], {
      stdio: 'inherit',
    });
  for (const source of readdirSync(SOURCES).filter((name) => name.endsWith('.c'))) {
    compile(source, source.slice(0, -2));
  }
  compile('hotcold.c', 'hotcold-static', '-static');
  compile('../../../bench/floor.c', 'floor');
  writeFileSync(join(bin, 'pagepulse'), `#!/bin/sh\nexec node ${ROOT}dist/src/cli/main.js "$@"\n`, {
    mode: 0o755,
  });
}
