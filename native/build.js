import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

// Part of `npm run build`: compiles words.c where there is a C compiler. Where there is none nothing is missing: the same
// calls are made one by one (src/kernel/words.ts).

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const { include_dir: headers } = createRequire(import.meta.url)('node-api-headers');
const output = path(`../dist/native/words-${process.platform}-${process.arch}.node`);
const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', `-I${headers}`];
mkdirSync(path('../dist/native'), { recursive: true });
try {
  execFileSync('cc', [...flags, '-o', output, path('words.c')], { stdio: 'inherit' });
} catch (error) {
  if (error.code !== 'ENOENT') console.error('native/words.c was not compiled; going on without it');
}
