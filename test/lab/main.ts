import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Guest } from './machine/guest.js';

// `npm run test:lab -- WORD...`: all scenarios, or those with one of the words in their title. One after the other, in one
// guest: it takes all the processors there are.

const words = process.argv.slice(2).flatMap((word) => ['--match', `*${word}*`]);
const files = fileURLToPath(new URL('*.test.js', import.meta.url));
const args = ['--no-install', 'ava', '--serial', '--concurrency=1', '--timeout=5m', ...words, files];
try {
  await Guest.during(async () => {
    const [status] = await once(spawn('npx', args, { stdio: 'inherit' }), 'exit');
    process.exitCode = status ?? 1;
  });
} catch (error) {
  console.error(`test:lab: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
