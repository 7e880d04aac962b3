import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { folderFor } from './helpers/fixtures.js';

const urlOf = (name: string) => JSON.stringify(new URL(`./lab/${name}.js`, import.meta.url));

/** Three scenarios: one passes, one fails the first time, one fails the first two times. */
const SCENARIOS = `
import { scenario } from ${urlOf('scenario')};

for (const [title, failures] of [['sound', 0], ['shaky', 1], ['broken', 2]]) {
  let tries = 0;
  scenario(title, async (t) => t.true(tries++ >= failures));
}
`;
const RUN = `
import { runTests } from ${urlOf('run-tests')};
process.exitCode = await runTests(['--timeout=5m', 'it.test.js', ...process.argv.slice(2)]);
`;

test('a run of the lab ends with the scenarios that passed only on their second try', async (t) => {
  const project = folderFor(t);
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
  writeFileSync(join(project, 'it.test.js'), SCENARIOS);
  writeFileSync(join(project, 'run.js'), RUN);
  const run = (...args: string[]) =>
    new Promise<{ status: unknown; lines: string[] }>((resolve) => {
      execFile(process.execPath, ['run.js', ...args], { cwd: project }, (error, out) =>
        resolve({ status: error?.code ?? 0, lines: out.trimEnd().split('\n') }),
      );
    });

  const all = await run();
  t.is(all.status, 1, 'one is broken');
  t.is(all.lines.at(-1), '  passed only on its second try: shaky');
  t.is(all.lines.filter((line) => line.includes('second try')).length, 1);

  const passing = await run('--match', 's*');
  t.is(passing.status, 0);
  t.is(passing.lines.at(-1), '  passed only on its second try: shaky');

  const sound = await run('--match', 'sound');
  t.is(sound.status, 0);
  t.false(sound.lines.some((line) => line.includes('second try')));
});
