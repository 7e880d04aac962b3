import { execFile } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { folderFor } from './helpers/fixtures.js';

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
const SEEDS = fileURLToPath(new URL('./helpers/property-seeds.js', import.meta.url));
const PROPERTY = `
import test from 'ava';
import fc from 'fast-check';

test('a property', (t) => {
  fc.assert(fc.property(fc.integer(), (n) => t.true(n < 1_000)));
});
`;

test('a failing property says how to repeat it, and PROPERTY repeats it', async (t) => {
  const project = folderFor(t);
  symlinkSync(MODULES, join(project, 'node_modules'));
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module', ava: { require: [SEEDS] } }));
  writeFileSync(join(project, 'it.test.js'), PROPERTY);
  const run = (property: string) =>
    new Promise<string>((resolve) => {
      const ava = join(MODULES, 'ava/entrypoints/cli.mjs');
      const env = { ...process.env, PROPERTY: property };
      execFile(process.execPath, [ava, '--timeout=5m', 'it.test.js'], { cwd: project, env }, (_, out, err) =>
        resolve(out + err),
      );
    });

  const [, line] = /^ *(\{ seed: .*\})$/m.exec(await run(''))!;
  const again = await run(line!);
  t.true(again.includes(line!), again);
  t.regex(again, /failed after 1 tests/);
  t.regex(again, /Counterexample: \[1000\]/);
});
