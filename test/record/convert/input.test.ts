import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { openInput } from '../../../src/record/convert/input.js';
import { folderFor } from '../records.js';
import { converted, linesIn, RICH, textIn } from './records.js';

test('what is no record in any format is refused in a sentence that says what is', async (t) => {
  const here = folderFor(t);
  const empty = join(here, 'empty');
  writeFileSync(empty, '');
  const object = join(here, 'object');
  writeFileSync(object, '{"traces": []}\n');
  const refused: readonly [string, RegExp][] = [
    [join(here, 'none'), /there is no such file; check the name/],
    [here, /it is a folder/],
    [empty, /is empty; give a record, damo's file/],
    [object, /no record that can be read: it does not begin with a header/],
    [fileURLToPath(import.meta.url), /is in no format that is known here; give a record, damo's file/],
  ];
  for (const [path, message] of refused) await t.throwsAsync(linesIn(t, path), { code: 'RECORD', message });
});

test('of a table whose last rows are missing, that is said', async (t) => {
  const notesOf = async (text: string) => {
    const path = join(folderFor(t), 'it.csv');
    writeFileSync(path, text);
    const { lines, notes } = await openInput(path, () => t.fail() as never);
    for await (const _ of lines);
    return notes();
  };
  const csv = textIn(await converted(t, RICH, 'csv'));
  t.deepEqual(await notesOf(csv), []);
  const [note, ...none] = await notesOf(
    `${csv
      .split(/\n(?=\d)/)
      .slice(0, -1)
      .join('\n')}\n`,
  );
  t.regex(note!, /it breaks off before its end/);
  t.deepEqual(none, []);
});
