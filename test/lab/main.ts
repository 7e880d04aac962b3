import { fileURLToPath } from 'node:url';
import { Guest } from './machine/guest.js';
import { runTests } from './run-tests.js';

// `npm run test:lab -- WORD...`: all scenarios, or those with one of the words in their title. They run one after the
// other in one guest, which takes all the processors there are.

const words = process.argv.slice(2).flatMap((word) => ['--match', `*${word}*`]);
const files = fileURLToPath(new URL('*.test.js', import.meta.url));
try {
  await Guest.during(async () => {
    process.exitCode = await runTests(['--serial', '--concurrency=1', '--timeout=15m', ...words, files]);
  });
} catch (error) {
  console.error(`test:lab: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
