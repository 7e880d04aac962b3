import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { writeComplete } from '../../../src/record/convert/convert.js';
import { OutputFile } from '../../../src/record/output-file.js';
import { folderFor } from '../../helpers/fixtures.js';

async function* text() {
  yield 'text';
}

test('an existing file is refused before the conversion', (t) => {
  const path = join(folderFor(t), 'it');
  writeFileSync(path, 'precious');
  t.throws(() => OutputFile.create(path), { code: 'OUTPUT', message: /already exists.*--force/ });
});

test('a file created during the conversion is not replaced', async (t) => {
  const here = folderFor(t);
  const path = join(here, 'it');
  const file = OutputFile.create(path);
  writeFileSync(path, 'precious');
  await t.throwsAsync(writeComplete(file, text(), 'none'), { code: 'OUTPUT', message: /already exists/ });
  t.is(readFileSync(path, 'utf8'), 'precious');
  t.deepEqual(readdirSync(here), ['it']);
});

test('a failed conversion leaves nothing, and an existing file unchanged', async (t) => {
  const here = folderFor(t);
  const path = join(here, 'it');
  async function* broken() {
    yield 'x'.repeat(200_000); // more than is buffered
    throw new Error('broken');
  }
  for (const compression of ['none', 'gzip', 'zlib'] as const) {
    await t.throwsAsync(writeComplete(OutputFile.create(path), broken(), compression), { message: /broken/ });
    t.deepEqual(readdirSync(here), [], compression);
  }
  writeFileSync(path, 'precious');
  await t.throwsAsync(writeComplete(OutputFile.create(path, { force: true }), broken(), 'none'), {
    message: /broken/,
  });
  t.is(readFileSync(path, 'utf8'), 'precious');
  t.deepEqual(readdirSync(here), ['it']);
});

test('a file gets its name when it is complete', async (t) => {
  const here = folderFor(t);
  const path = join(here, 'it');
  writeFileSync(path, 'old');
  async function* watched() {
    yield 'x'.repeat(200_000);
    t.is(readFileSync(path, 'utf8'), 'old');
    yield 'y';
  }
  await writeComplete(OutputFile.create(path, { force: true }), watched(), 'none');
  t.is(readFileSync(path, 'utf8').length, 200_001);
  t.deepEqual(readdirSync(here), ['it']);
});
