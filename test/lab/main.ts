import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './kernel/image.js';
import { Guest } from './machine/guest.js';

// `npm run test:lab -- WORD...`: all scenarios, or those with one of the words in their title. One after the other, in one
// guest: it takes all the processors there are.

const words = process.argv.slice(2).flatMap((word) => ['--match', `*${word}*`]);
const files = fileURLToPath(new URL('*.test.js', import.meta.url));
const ava = join(ROOT, 'node_modules/ava/entrypoints/cli.mjs');
const args = [ava, '--serial', '--concurrency=1', '--timeout=15m', ...words, files];
try {
  await Guest.during(async () => {
    const tests = spawn(process.execPath, args, { stdio: 'inherit' });
    process.once('exit', () => tests.kill());
    const [status] = await once(tests, 'exit');
    process.exitCode = status ?? 1;
  });
} catch (error) {
  console.error(`test:lab: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
