import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ConvertedFile } from '../../../src/record/convert/output.js';
import { folderFor } from '../records.js';

async function* text() {
  yield 'text';
}

test('a name that is taken is refused before anything is converted', (t) => {
  const path = join(folderFor(t), 'it');
  writeFileSync(path, 'precious');
  t.throws(() => new ConvertedFile(path, false), { code: 'OUTPUT', message: /exists already.*--force/ });
});

test('a file that has come meanwhile is not replaced', async (t) => {
  const here = folderFor(t);
  const path = join(here, 'it');
  const file = new ConvertedFile(path, false);
  writeFileSync(path, 'precious');
  await t.throwsAsync(file.write(text(), 'none'), { code: 'OUTPUT', message: /exists already/ });
  t.is(readFileSync(path, 'utf8'), 'precious');
  t.deepEqual(readdirSync(here), ['it']);
});

test('where what is converted breaks off, nothing is left, and what had the name before is whole', async (t) => {
  const here = folderFor(t);
  const path = join(here, 'it');
  async function* broken() {
    yield 'x'.repeat(200_000); // more than is held back
    throw new Error('broken');
  }
  for (const compression of ['none', 'gzip', 'zlib'] as const) {
    await t.throwsAsync(new ConvertedFile(path, false).write(broken(), compression), { message: /broken/ });
    t.deepEqual(readdirSync(here), [], compression);
  }
  writeFileSync(path, 'precious');
  await t.throwsAsync(new ConvertedFile(path, true).write(broken(), 'none'), { message: /broken/ });
  t.is(readFileSync(path, 'utf8'), 'precious');
  t.deepEqual(readdirSync(here), ['it']);
});

test('a file has its name when it is whole, not before', async (t) => {
  const here = folderFor(t);
  const path = join(here, 'it');
  writeFileSync(path, 'old');
  async function* watched() {
    yield 'x'.repeat(200_000);
    t.is(readFileSync(path, 'utf8'), 'old');
    yield 'y';
  }
  await new ConvertedFile(path, true).write(watched(), 'none');
  t.is(readFileSync(path, 'utf8').length, 200_001);
  t.deepEqual(readdirSync(here), ['it']);
});
