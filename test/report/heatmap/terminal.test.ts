import test from 'ava';
import fc from 'fast-check';
import { renderHeatMap } from '../../../src/report/heatmap/terminal.js';
import { columnsOf } from '../../../src/report/terminal-text.js';
import { regionRows } from '../../helpers/snapshots.js';
import { mapOf, mappingOf, snapshotsOf, sourceOf, TIB_PAGES } from './examples.js';

const far = 2 * TIB_PAGES;
/** 32 pages that get hotter from below, and two terabytes above them 8 that are never accessed; then nothing is watched. */
const snapshots = snapshotsOf([
  [
    [0x1000, 0x1008, 20, 0],
    [0x1008, 0x1020, 0, 0],
    [far, far + 8, 0, 0],
  ],
  [
    [0x1000, 0x1010, 10, 0],
    [0x1010, 0x1020, 0, 1],
    [far, far + 8, 0, 1],
  ],
  [],
  [
    [0x1000, 0x1018, 5, 0],
    [0x1018, 0x1020, 1, 0],
    [far, far + 8, 0, 0],
  ],
]);

const plain = { width: 79, lines: 11, colour: 'none', theme: 'dark' } as const;

test('a pipe gets digits: a dot is never, a space is not watched', async (t) => {
  const mappings = [mappingOf(0x1000, 0x1020, '[heap]'), mappingOf(far, far + 8, '/lib/libc.so.6')];
  const map = await mapOf(sourceOf(snapshots, mappings));
  t.deepEqual(
    renderHeatMap(map, plain).map((line) => line.trimEnd()),
    [
      'pagepulse heat map  it.ndjson  idle-page check  400 ms in 4 snapshots',
      '',
      '4242 app  160 KiB of 160 KiB watched  100 % of the accesses',
      ' 20000004000 ......................           ........... /lib/libc.so.6',
      ' 20000000000 ......................           ...........',
      '             ~~ 2 TiB cut out ~~',
      '     101c000 ......................           00000000000 [heap]',
      '     1018000 ......................           00000000000',
      '     1014000 ......................           22222222222',
      '     1010000 ......................           22222222222',
      '     100c000 ...........55555555555           22222222222',
      '     1008000 ...........55555555555           22222222222',
      '     1004000 9999999999955555555555           22222222222',
      '     1000000 9999999999955555555555           22222222222',
      '             ╵0                    ╵200 ms',
      '',
      'accessed: never .0123456789 100 % of samples   blank: not watched   addresses …',
    ],
  );
});

test('addresses of 15 digits are whole, and stand in one column', async (t) => {
  const top = 0x7fff_0000_0000;
  const rows = [[0x1000, 0x1020, 20, 0], [top, top + 0x20, 10, 0]] as const; // biome-ignore format: two regions
  const map = await mapOf(sourceOf(snapshotsOf([rows])));
  const lines = renderHeatMap(map, { ...plain, lines: 2 });
  t.true(
    lines.some((line) => line.startsWith('7fff00000000000 ')),
    lines.join('\n'),
  );
  t.true(
    lines.some((line) => line.startsWith('        1000000 ')),
    lines.join('\n'),
  );
});

test('a line of colours is two rows, and where one was not watched its half has no colour', async (t) => {
  const map = await mapOf(
    sourceOf(
      snapshotsOf([
        [
          [0, 1, 20, 0],
          [1, 2, 0, 0],
          [2, 3, 0, 0],
        ],
      ]),
    ),
  );
  const lines = renderHeatMap(map, { width: 34, lines: 2, colour: 'truecolor', theme: 'dark' });
  const cells = lines.filter((line) => line.includes('\x1b[38;2') || line.includes('\x1b[48;2')).slice(0, 2);
  t.true(cells[0]!.includes(`\x1b[48;2;28;33;41m${' '.repeat(21)}\x1b[0m`), 'two that were never accessed');
  t.true(cells[1]!.includes(`\x1b[38;2;246;215;70m${'▀'.repeat(21)}\x1b[0m`), 'a hot one above nothing');
});

test('no line is wider than the terminal, whatever was watched', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(regionRows, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 20, max: 120 }),
      fc.constantFrom('none', '256', 'truecolor'),
      fc.string({ unit: 'grapheme' }),
      async (rows, width, colour, name) => {
        if (rows.every((each) => each.length === 0)) return;
        const mappings = [mappingOf(0x1000, 0x1000_0000, name)];
        const map = await mapOf(sourceOf(snapshotsOf(rows, 1, name), mappings), 'hottest');
        for (const line of renderHeatMap(map, { width, lines: 10, colour, theme: 'light' })) {
          // biome-ignore lint/suspicious/noControlCharactersInRegex: attributes of the terminal
          const text = line.replace(/\x1b\[[\d;]*m/g, '');
          t.true(columnsOf(text) <= width, `${width} columns: ${text}`);
        }
      },
    ),
    { numRuns: 40 },
  );
});

test('of 50 processes the busiest four are shown, and how much the others had is told', async (t) => {
  const all = Array.from({ length: 50 }, (_, i) =>
    snapshotsOf([[[0, 100, i % 10 === 0 ? 20 : 1, 0]]], i + 1, `p${i + 1}`),
  );
  const map = await mapOf(sourceOf(all.flat()));
  t.is(map.panels.length, 4);
  t.true(map.panels.every(({ sums }) => sums.target.pid % 10 === 1));
  t.is(
    renderHeatMap(map, plain).at(-1),
    'left out: 46 more processes with 45 % of the accesses; use --panels or --pid t…',
  );
});
