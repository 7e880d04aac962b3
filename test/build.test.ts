import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { folderFor } from './helpers/fixtures.js';

const PRUNE = fileURLToPath(new URL('../../prune-dist.js', import.meta.url));

test('a build removes the output of sources that are gone, and nothing else', (t) => {
  const checkout = folderFor(t);
  copyFileSync(PRUNE, join(checkout, 'prune-dist.js'));
  writeFileSync(join(checkout, 'package.json'), '{"type":"module"}');
  const stays = ['dist/src/kept.d.ts', 'dist/src/kept.js', 'dist/src/kept.js.map', 'dist/native/words.node'];
  const goes = [
    'dist/src/gone.js',
    'dist/src/gone.js.map',
    'dist/test/all/gone.test.js',
    'dist/src/kept.test.js',
  ];
  for (const path of ['src/kept.ts', ...stays, ...goes]) {
    mkdirSync(dirname(join(checkout, path)), { recursive: true });
    writeFileSync(join(checkout, path), '');
  }
  execFileSync(process.execPath, [join(checkout, 'prune-dist.js')]);
  const left = readdirSync(join(checkout, 'dist'), { recursive: true }) as string[];
  t.deepEqual(left.sort(), [
    'native',
    'native/words.node',
    'src',
    'src/kept.d.ts',
    'src/kept.js',
    'src/kept.js.map',
  ]);
});
