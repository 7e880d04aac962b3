import test from 'ava';
import fc from 'fast-check';
import type { AttrsReason } from '../../src/core/stats.js';
import { type ProcessView, renderPicture, renderPlain } from '../../src/report/picture.js';
import { columnsOf } from '../../src/report/terminal-text.js';
import { regionRows, type SnapshotParts, snapshotOf, THREE_RANGES } from '../helpers/snapshots.js';

// biome-ignore lint/suspicious/noControlCharactersInRegex: attributes are control sequences
const ATTRIBUTES = /\x1b\[[0-9;]*m/g;
const LEGEND = 'accessed: never .0123456789 always';

const MAPPINGS = [
  { startPage: 0x55d0c0a00, endPage: 0x55d0c1200, permissions: 'rw-p', name: '[heap]' },
  { startPage: 0x7f12a0000, endPage: 0x7f12a0900, permissions: 'rw-p', name: '' },
  { startPage: 0x7f12a0900, endPage: 0x7f12a1000, permissions: 'r-xp', name: '/usr/lib/libc.so.6' },
  { startPage: 0x7ffd12340, endPage: 0x7ffd12362, permissions: 'rw-p', name: '[stack]' },
];

function draw(views: readonly ProcessView[], width: number, height: number, hint?: string): string[] {
  return renderPicture(views, { width, height, colour: 'none', ...(hint ? { hint } : {}) });
}

function viewOf(parts: SnapshotParts, rest: Partial<ProcessView> = {}): ProcessView {
  const snapshot = snapshotOf(parts);
  const { target } = snapshot;
  return { target, snapshot, residentBytes: 512 * 2 ** 20, mappings: [], hasEnded: false, ...rest };
}

/** `count` processes with three ranges and five regions each. */
function processes(count: number): ProcessView[] {
  return Array.from({ length: count }, (_, i) => viewOf({ rows: THREE_RANGES, pid: 100 + i, comm: `p${i}` }));
}

test('one process has its header, its ranges, its regions by heat and their mappings', (t) => {
  const lines = draw([viewOf({ rows: THREE_RANGES }, { mappings: MAPPINGS })], 80, 24, 'q quits');
  t.deepEqual(lines, [
    'pagepulse  idle-page check  cost 1.2 % of a core  12.3 s  5 ms / 100 ms',
    '4242 postgres  working set 12.1 MiB  resident 512 MiB',
    `55d0c0a00000    8 MiB ${'9'.repeat(29)}${'.'.repeat(29)}`,
    `7f12a0000000   16 MiB ${'2'.repeat(29)}${'.'.repeat(29)}`,
    `7ffd12340000  136 KiB ${'5'.repeat(58)}`,
    '     address     size  accessed          age  mapping',
    '55d0c0a00000    4 MiB     100 %        1 min  [heap]',
    '7ffd12340000  136 KiB      50 %          new  [stack]',
    '7f12a0000000    8 MiB      25 %        1.2 s  anonymous',
    '7f12a0800000    8 MiB       0 %       300 ms  /usr/lib/libc.so.6 +1 more',
    '55d0c0e00000    4 MiB       0 %        1 min  [heap]',
    `${LEGEND}${' '.repeat(80 - LEGEND.length - 'q quits'.length)}q quits`,
  ]);
});

test('what is counted by mapping is one strip of resident memory, flat, and a table of mappings by accessed bytes', (t) => {
  const view = viewOf(
    {
      rows: [
        [0x55d0c0a00, 0x55d0c1200, 1, 600],
        [0x7f12a0000, 0x7f12b0000, 0, 3],
        [0x7ffd12340, 0x7ffd12362, 1, 0],
      ],
      memory: { resident: [1_024, 1_024, 0], accessed: [256, 0, 0] },
      residentBytes: 8 * 2 ** 20,
    },
    { mappings: MAPPINGS, residentBytes: undefined },
  );
  const lines = draw([view], 80, 24);
  t.deepEqual(lines.slice(1, -1), [
    '4242 postgres  working set 1 MiB  resident 8 MiB',
    `resident, flat by mapping ${'2'.repeat(27)}${'.'.repeat(27)}`,
    '     address     size              accessed          age  mapping',
    '55d0c0a00000    8 MiB        1 MiB of 4 MiB        1 min  [heap]',
    '7f12a0000000  256 MiB          0 B of 4 MiB       300 ms  anonymous +1 more',
    '7ffd12340000  136 KiB            0 B of 0 B          new  [stack]',
  ]);
  t.is(draw([view], 80, 3).length, 3);
});

test('mapped memory is one strip without gaps, with marks where the kind of mapping changes', (t) => {
  const view = viewOf(
    {
      rows: [
        [0x55d0c0a00, 0x55d0c1200, 20, 600],
        [0x7f12a0000, 0x7ffd12362, 0, 3],
      ],
      memory: { resident: [2_048, 4_096], mapped: [2_048, 4_096 + 34] },
    },
    { mappings: MAPPINGS },
  );
  t.deepEqual(draw([view], 82, 24).slice(1, -1), [
    '4242 postgres  working set 8 MiB  resident 512 MiB',
    `mapped    ${'9'.repeat(23)}8${'.'.repeat(48)}`,
    `          |heap                   |anonymous                 |file`,
    '     address     size  accessed          age  mapping',
    '55d0c0a00000    8 MiB     100 %        1 min  [heap]',
    '7f12a0000000 16.1 MiB       0 %       300 ms  anonymous +2 more',
  ]);
  for (let height = 1; height < 9; height++) t.true(draw([view], 82, height).length <= height);
});

test('where samples hardly ever meet memory there is the reason, and what helps', (t) => {
  const rows = [[2 ** 32, 2 ** 33, 0, 9]] as const;
  const lines = draw([viewOf({ rows, residentBytes: 2 ** 25, memory: { resident: [0] } })], 80, 24);
  t.deepEqual(lines.slice(1, -1), [
    '4242 postgres  working set not known  resident 512 MiB',
    '0.0002 % of the 16 TiB watched is resident, so samples rarely hit memory.',
    'Try --cover mapped, or --check referenced, which counts by mapping.',
  ]);
  t.is(
    draw([viewOf({ rows }, { residentBytes: 2 ** 25 })], 80, 24).length,
    lines.length,
    'by what was read beside',
  );
});

test('what cannot be seen stands in the header', (t) => {
  const memory = { resident: [16], unseen: [8] };
  const [, header] = draw([viewOf({ rows: [[16, 32, 20, 0]], memory })], 80, 24);
  t.is(header, '4242 postgres  working set 32 KiB  resident 512 MiB  not seen 32 KiB');
});

test('addresses of 15 digits stand in a column of their own', (t) => {
  const far = 0x1ff0_0000_0000;
  const lines = draw([viewOf({ rows: [...THREE_RANGES, [far, far + 0x400, 15, 5]] })], 80, 24);
  t.true(lines[3]!.startsWith('   7f12a0000000   16 MiB 22222'), lines[3]);
  t.is(lines[5], `1ff000000000000    4 MiB ${'7'.repeat(55)}`);
  const table = lines.slice(6, -1).map((line) => line.slice(0, 25));
  t.is(table[0], '        address     size ');
  t.true(table.includes('1ff000000000000    4 MiB '), table.join('\n'));
  t.true(table.includes('   55d0c0a00000    4 MiB '), table.join('\n'));
});

test('a small terminal shows the hottest regions, and says how many there are', (t) => {
  const lines = draw([viewOf({ rows: THREE_RANGES })], 80, 9);
  t.is(lines.length, 9);
  t.regex(lines[5]!, /^ +address .* mapping +2 of 5 regions$/);
  t.regex(lines[6]!, /^55d0c0a00000 .* 100 %/);
  t.regex(lines[7]!, /^7ffd12340000 .* 50 %/);
});

test('without room for all ranges the one with most accesses is shown, and the header says so', (t) => {
  const lines = draw([viewOf({ rows: THREE_RANGES })], 80, 3);
  t.is(lines.length, 3);
  t.true(lines[1]!.endsWith('1 of 3 ranges'));
  t.true(lines[2]!.startsWith('55d0c0a00000'));
});

test('a narrow table has no ages and no paths, but names', (t) => {
  const row = (width: number) =>
    draw([viewOf({ rows: THREE_RANGES }, { mappings: MAPPINGS })], width, 24).find((line) =>
      line.startsWith('7f12a08'),
    );
  t.is(row(69), '7f12a0800000    8 MiB       0 %       300 ms  libc.so.6 +1 more');
  t.is(row(51), '7f12a0800000    8 MiB       0 %  libc.so.6 +1 more');
  t.is(row(46), '7f12a0800000    8 MiB       0 %  libc… +1 more');
});

test('a hint stands at the right end of the last line, and goes before the legend', (t) => {
  const last = (width: number) => draw(processes(1), width, 24, 'q quits').at(-1)!;
  // Eight cells: never, and seven with shares of 1/14, 3/14, ... 13/14.
  t.is(last(40), 'accessed: never .0235679 always  q quits');
  t.true(last(37).endsWith(' always  q quits'));
  t.is(last(36), 'q quits');
  t.is(last(3), 'q …');
});

test('equally large regions are sorted by nrAccesses, equally hot ones by size', (t) => {
  const rows = Array.from({ length: 30 }, (_, i) => [i * 100, i * 100 + 1 + (i % 10), i % 3, 0] as const);
  const lines = draw([viewOf({ rows })], 100, 200);
  const shown = lines.slice(lines.findIndex((line) => line.includes('mapping')) + 1, -1);
  const addresses = rows
    .toSorted((a, b) => b[2] - a[2] || b[1] - b[0] - (a[1] - a[0]))
    .map(([start]) => (start * 4096).toString(16).padStart(12));
  t.deepEqual(
    shown.map((line) => line.slice(0, 12)),
    addresses,
  );
});

test('processes share the rows: none has two more than another that wants them', (t) => {
  for (const height of [8, 12, 17, 24, 30]) {
    const lines = draw(processes(3), 80, height);
    const headers = [0, 1, 2].map((i) => lines.findIndex((line) => line.startsWith(`10${i} p${i}  `)));
    t.false(headers.includes(-1));
    const rows = [headers[1]! - headers[0]!, headers[2]! - headers[1]!, lines.length - 1 - headers[2]!];
    t.true(Math.max(...rows) - Math.min(...rows) <= 2, `${height}: ${rows}`);
  }
});

test('what one process does not want, the others get', (t) => {
  const small = viewOf({ rows: [[1, 2, 0, 0]], pid: 7, comm: 'small' });
  const lines = draw([small, ...processes(1)], 80, 18);
  t.is(lines.filter((line) => /^\s*[0-9a-f]+ .* %/.test(line)).length, 1 + 5);
});

test('processes that find no room are named in a line', (t) => {
  const lines = draw(processes(20), 80, 12);
  t.is(lines.filter((line) => /^1\d\d p/.test(line)).length, 4);
  t.true(lines.at(-2)!.startsWith('16 more in a larger terminal: 104 p4, 105 p5, '));
  t.is(draw(processes(3), 80, 2)[1], '3 processes in a larger terminal: 100 p0, 101 p1, 102 p2');
});

test('a process that has ended says so and makes room for those that run', (t) => {
  const [first, ...others] = processes(20);
  const lines = draw([{ ...first!, hasEnded: true }, ...others], 200, 12);
  t.true(lines[1]!.startsWith('101 p1'));
  t.true(lines.at(-2)!.endsWith(', 100 p0'));
  t.regex(draw([{ ...first!, hasEnded: true }], 80, 12)[1]!, /^100 p0 {2}ended {2}/);
});

test('overruns are told, and what watching costs is that of the latest snapshot', (t) => {
  const early = viewOf({ rows: THREE_RANGES, endUs: 1e6 });
  const late = viewOf({ rows: THREE_RANGES, endUs: 60e6, overruns: 100 });
  t.is(
    draw([early, late], 100, 24)[0],
    'pagepulse  idle-page check  cost 1.2 % of a core  overruns 100 (25 %)  1 min  5 ms / 100 ms',
  );
});

test('intervals that the user has not chosen have who has', (t) => {
  const title = (reason: AttrsReason) => draw([viewOf({ rows: THREE_RANGES, reason })], 100, 24)[0]!;
  t.regex(title('auto'), / {2}5 ms \/ 100 ms \(auto\)$/);
  t.regex(title('budget'), / {2}5 ms \/ 100 ms \(budget\)$/);
});

test('who waits is told for how long', (t) => {
  const pending = viewOf({ rows: [] }, { snapshot: undefined });
  const waiting = (dueInUs?: number) =>
    renderPicture([pending], {
      width: 80,
      height: 24,
      colour: 'none',
      ...(dueInUs !== undefined && { dueInUs }),
    });
  t.is(waiting()[0], 'pagepulse  waiting for the first snapshot');
  t.is(waiting(6_800_000)[0], 'pagepulse  waiting for the first snapshot, due in 7 s');
  t.is(waiting(0)[0], 'pagepulse  waiting for the first snapshot, due any moment');
  t.is(waiting()[1], '4242 postgres  working set pending  resident 512 MiB');
});

test('no process draws on the terminal by its name or by those of its files', (t) => {
  const name = '\x1b[2Jevil\n\x9b31m';
  const mappings = [{ ...MAPPINGS[0]!, name: `/tmp/${name}` }];
  const views = [viewOf({ rows: THREE_RANGES, comm: name }, { mappings })];
  for (const line of [...draw(views, 80, 24), ...draw([...views, ...views], 80, 3)]) {
    t.notRegex(line, /\p{C}/u);
  }
  t.notRegex(renderPlain(views).replaceAll('\n', ''), /\p{C}/u);
});

test('a name of wide characters takes no more columns than there are', (t) => {
  const lines = draw([viewOf({ rows: THREE_RANGES, comm: '数据库数据库' })], 12, 24);
  t.is(lines[1], '4242 数据库…');
});

test('without a process it waits for one', (t) => {
  t.is(draw([], 80, 24)[0], 'pagepulse  waiting for a process to watch');
  t.is(renderPlain([]), 'pagepulse  waiting for a process to watch\n');
});

test('what is pending stands beside what was seen', (t) => {
  const seen = viewOf({ rows: THREE_RANGES, pid: 1 });
  const pending = viewOf({ rows: [], pid: 2 }, { snapshot: undefined, residentBytes: undefined });
  const text = renderPlain([seen, pending]);
  t.regex(text, /^pagepulse {2}idle-page check/);
  t.regex(text, /\n2 postgres {2}working set pending\naccessed: /);
});

test('a picture fits every terminal, whatever is in it', (t) => {
  const view = fc
    .record({
      rows: regionRows,
      pid: fc.nat(4_194_304),
      comm: fc.string({ unit: 'binary', maxLength: 15 }),
      endUs: fc.integer({ min: 100_000, max: 1e12 }),
      overruns: fc.nat(1e6),
      file: fc.string({ unit: 'binary', maxLength: 200 }),
      hasEnded: fc.boolean(),
      residentBytes: fc.option(fc.nat(2 ** 45), { nil: undefined }),
    })
    .map(({ file, hasEnded, residentBytes, ...parts }) =>
      viewOf(parts, {
        hasEnded,
        residentBytes,
        mappings: [{ startPage: 0, endPage: 2 ** 36, permissions: 'rw-p', name: file }],
      }),
    );
  fc.assert(
    fc.property(
      fc.array(view, { maxLength: 12 }),
      fc.integer({ min: 1, max: 150 }),
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom('truecolor' as const, '256' as const, 'none' as const),
      (views, width, height, colour) => {
        const lines = renderPicture(views, { width, height, colour, hint: 'q quits' });
        if (lines.length < 1 || lines.length > height) return false;
        const texts = lines.map((line) => line.replace(ATTRIBUTES, ''));
        return texts.every((text) => columnsOf(text) <= width && !/\p{C}/u.test(text));
      },
    ),
    { numRuns: 300 },
  );
  t.pass();
});

test('colours change how a picture looks, not where anything is', (t) => {
  const views = processes(2);
  const plain = draw(views, 80, 24);
  for (const colour of ['truecolor', '256'] as const) {
    const lines = renderPicture(views, { width: 80, height: 24, colour });
    t.deepEqual(
      lines.map((line) => columnsOf(line.replace(ATTRIBUTES, ''))),
      plain.map(columnsOf),
    );
    t.true(lines.every((line) => !line.includes('\x1b[') || line.includes('\x1b[0m')));
  }
});

test('the plain block has every process, at most 8 regions of each, and no control sequences', (t) => {
  const rows = Array.from({ length: 30 }, (_, i) => [i * 10, i * 10 + 10, 1, 0] as const);
  const block = renderPlain([...processes(9), viewOf({ rows, pid: 5, comm: 'many' })]);
  const lines = block.split('\n');
  t.is(lines.filter((line) => /^\d+ \w+ {2}working set/.test(line)).length, 10);
  t.is(
    lines.slice(lines.findIndex((line) => line.startsWith('5 many'))).filter((line) => line.includes(' %'))
      .length,
    8,
  );
  t.true(lines.every((line) => line.length <= 100));
  t.notRegex(block.replaceAll('\n', ''), /\p{C}/u);
  t.true(block.endsWith(`${LEGEND}\n`));
});
