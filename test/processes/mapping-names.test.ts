import test from 'ava';
import fc from 'fast-check';
import { printable } from '../../src/core/printable.js';
import type { Mapping } from '../../src/kernel/maps.js';
import { nameOfRange } from '../../src/report/region-mappings.js';
import { clip, columnsOf } from '../../src/report/terminal-text.js';

function mapping(startPage: number, endPage: number, name: string): Mapping {
  return { startPage, endPage, permissions: 'rw-p', name };
}

const MAPPINGS = [
  mapping(100, 110, '/usr/bin/postgres'),
  mapping(110, 150, '[heap]'),
  mapping(200, 210, '/usr/lib/x86_64-linux-gnu/libc.so.6'),
  mapping(210, 230, ''),
  mapping(230, 245, '/usr/lib/x86_64-linux-gnu/libc.so.6'),
  mapping(300, 400, '[stack]'),
];

test('a range is named after the mapping that it lies in', (t) => {
  t.is(nameOfRange(MAPPINGS, 110, 150), '[heap]');
  t.is(nameOfRange(MAPPINGS, 149, 150), '[heap]');
  t.is(nameOfRange(MAPPINGS, 215, 220), 'anonymous');
  t.is(nameOfRange(MAPPINGS, 390, 500), '[stack]');
});

test('a range over several mappings is named after the name that most of it has', (t) => {
  t.is(nameOfRange(MAPPINGS, 105, 150), '[heap] +1 more');
  // libc has 25 pages in two pieces, nameless memory 20 in one.
  t.is(nameOfRange(MAPPINGS, 200, 245), '/usr/lib/x86_64-linux-gnu/libc.so.6 +1 more');
  t.is(nameOfRange(MAPPINGS, 100, 400), '[stack] +4 more');
});

test('what lies in no mapping is unmapped', (t) => {
  t.is(nameOfRange(MAPPINGS, 150, 200), 'unmapped');
  t.is(nameOfRange(MAPPINGS, 0, 100), 'unmapped');
  t.is(nameOfRange(MAPPINGS, 400, 500), 'unmapped');
  t.is(nameOfRange([], 0, 1), 'unmapped');
});

test('a path that does not fit is cut to the name of the file, and that at its end', (t) => {
  t.is(nameOfRange(MAPPINGS, 200, 210, 35), '/usr/lib/x86_64-linux-gnu/libc.so.6');
  t.is(nameOfRange(MAPPINGS, 200, 210, 34), 'libc.so.6');
  t.is(nameOfRange(MAPPINGS, 200, 245, 20), 'libc.so.6 +1 more');
  t.is(nameOfRange(MAPPINGS, 200, 245, 14), 'libc.… +1 more');
  t.is(nameOfRange(MAPPINGS, 200, 245, 5), 'libc…');
  t.is(nameOfRange(MAPPINGS, 200, 245, 0), '');
});

test('a name is never wider than what it is given', (t) => {
  const names = fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(names, fc.nat(30), (texts, columns) => {
      const mappings = texts.map((text, i) => mapping(10 * i, 10 * i + 10, text));
      return columnsOf(nameOfRange(mappings, 5, 10 * texts.length, columns)) <= columns;
    }),
  );
  t.pass();
});

test('control characters, changes of direction and broken characters are not shown', (t) => {
  t.is(printable('a\x1b[31mb'), 'a?[31mb');
  t.is(printable('two\nlines\rtab\t.'), 'two?lines?tab?.');
  t.is(printable('\x9b2J'), '?2J'); // CSI in one byte of C1
  t.is(printable('gpj\u202eexe.\u200b'), 'gpj?exe.?');
  t.is(printable('half \ud83d of it'), 'half ? of it');
  t.is(printable('\u2028'), '?');
  t.is(printable('plain näme 数据库 🚀'), 'plain näme 数据库 🚀');
});

test('wide characters take two columns, marks none', (t) => {
  t.is(columnsOf('postgres'), 8);
  t.is(columnsOf('数据库'), 6);
  t.is(columnsOf('データ'), 6);
  t.is(columnsOf('ﾃﾞｰﾀ'), 4); // half-width
  t.is(columnsOf('한국어'), 6);
  t.is(columnsOf('🚀'), 2);
  t.is(columnsOf('e\u0301'), 1);
  t.is(columnsOf('näme'), 4);
  t.is(columnsOf('\uff21'), 2); // full-width A
  t.is(columnsOf(printable('❤\ufe0f')), 1);
});

test('clipped text is never wider than what there is, and is whole where that is enough', (t) => {
  t.is(clip('postgres', 8), 'postgres');
  t.is(clip('postgres', 7), 'postgr…');
  t.is(clip('数据库', 5), '数据…');
  t.is(clip('数据库', 4), '数…');
  t.is(clip('x', 0), '');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(20), (text, columns) => {
      const shown = clip(printable(text), columns);
      return (
        columnsOf(shown) <= columns && (shown === printable(text)) === columnsOf(printable(text)) <= columns
      );
    }),
  );
});
