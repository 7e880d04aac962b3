import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const README = fileURLToPath(new URL('../../README.md', import.meta.url));
/** Inside the package, so that it imports itself by name as a user would. */
const EXAMPLE = fileURLToPath(new URL('./readme-example.mjs', import.meta.url));

test('the example of the README runs', (t) => {
  const [, code] = /```ts\n(import \{ Monitor \}.*?\n)```/s.exec(readFileSync(README, 'utf8')) ?? [];
  t.truthy(code, 'the README has no example of the library');
  const sleep = spawn('sleep', ['60']);
  t.teardown(() => {
    sleep.kill('SIGKILL');
    rmSync(EXAMPLE);
  });
  writeFileSync(EXAMPLE, code!.replace('4242', String(sleep.pid)));
  const out = execFileSync(process.execPath, [EXAMPLE], { encoding: 'utf8', timeout: 60_000 });
  t.regex(out, new RegExp(`^${sleep.pid} \\d`, 'm'));
});
