import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync, gzipSync, inflateSync } from 'node:zlib';
import test from 'ava';
import { openInput } from '../../../src/record/convert/input.js';
import { folderFor } from '../../helpers/fixtures.js';
import { converted, linesIn, RICH, recordFile, textIn } from '../../helpers/records.js';

test('input in an unknown format is refused, and the error says what it is', async (t) => {
  const here = folderFor(t);
  const empty = join(here, 'empty');
  writeFileSync(empty, '');
  const object = join(here, 'object');
  writeFileSync(object, '{"traces": []}\n');
  const refused: readonly [string, RegExp][] = [
    [join(here, 'none'), /no such file; check the name/],
    [here, /it is a directory/],
    [empty, /is empty; use a Pagepulse record/],
    [object, /is JSON, but its first line is not a record header/],
    [fileURLToPath(import.meta.url), /is text in an unknown format; use a Pagepulse record/],
  ];
  for (const [path, message] of refused) await t.throwsAsync(linesIn(t, path), { code: 'RECORD', message });
});

test('a byte order mark and Windows line ends are accepted in every text format, compressed or not', async (t) => {
  const damo = JSON.stringify(
    JSON.parse(inflateSync(readFileSync(await converted(t, RICH, 'damo'))).toString()),
    null,
    1,
  );
  const texts: readonly [string, string][] = [
    ['it.ndjson', textIn(recordFile(t, RICH))],
    ['it.json', damo],
    ['it.csv', textIn(await converted(t, RICH, 'csv'))],
  ];
  for (const [name, text] of texts) {
    // Not the line feeds inside CSV quotes.
    const windows = `\uFEFF${name === 'it.csv' ? text.replaceAll(/\n(?=\d|$)|(?<=mapping|record|permissions)\n/g, '\r\n') : text.replaceAll('\n', '\r\n')}`;
    for (const content of [windows, gzipSync(windows), deflateSync(windows)]) {
      const path = join(folderFor(t), name);
      writeFileSync(path, content);
      t.deepEqual(await linesIn(t, path), RICH as never, name);
    }
  }
});

test('a table without its last rows is reported as cut off', async (t) => {
  const notesOf = async (text: string) => {
    const path = join(folderFor(t), 'it.csv');
    writeFileSync(path, text);
    const { lines, notes } = await openInput(path, '/nowhere');
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
  t.regex(note!, /it is cut off/);
  t.deepEqual(none, []);
});
