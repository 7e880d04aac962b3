import test from 'ava';
import fc from 'fast-check';
import { sparkline } from '../../../src/report/charts.js';
import { columnsOf } from '../../../src/report/terminal-text.js';
import { type LiveOptions, renderTop, renderTopPlain } from '../../../src/report/top/layout.js';
import type { TopModel } from '../../../src/report/top/model.js';
import { GROUP_KINDS, type RowQuery, selectRows } from '../../../src/report/top/query.js';
import { PAGE } from '../../helpers/snapshots.js';
import { BY_PID, busy, modelOf, models } from './rows.js';

// biome-ignore lint/suspicious/noControlCharactersInRegex: attributes are control sequences
const ATTRIBUTES = /\x1b\[[0-9;]*m/g;
const LIVE: LiveOptions = {
  width: 80,
  height: 12,
  colour: 'none',
  first: 0,
  selected: -1,
  isFrozen: false,
  isHelp: false,
  isTyping: false,
};

function draw(model: TopModel, live: Partial<LiveOptions> = {}, chosen: Partial<RowQuery> = {}): string[] {
  const selection = { ...BY_PID, ...chosen };
  const state = model.state(1);
  return renderTop(state, selection, selectRows(state.rows, selection), { ...LIVE, ...live });
}

const TWO = modelOf(
  busy(10, 256, { comm: 'postgres', facts: { residentBytes: 1024 * PAGE } }),
  busy(20, 512, { comm: '漢字', facts: { residentBytes: 512 * PAGE } }),
);

test('two processes in 80 columns', (t) => {
  t.deepEqual(
    draw(TWO, { height: 6 }).map((line) => line.trimEnd()),
    [
      'pagepulse top  idle-page check  cost 1.2 % of a core  12.3 s  5 ms / 100 ms',
      '2 processes  resident <= 6 MiB  working set <= 3 MiB  by pid',
      '     PID name     resident  working  share      hot  cold 5m    trend heat',
      '      10 postgres    4 MiB    1 MiB   25 %    1 MiB        -        █ 9999999999',
      '      20 漢字        2 MiB    2 MiB  100 %    2 MiB        -        █ 9999999999',
      'accessed: never .0123456789 always                               ? help  q quits',
    ],
  );
});

test('columns go in a narrow terminal, the name and the working set last', (t) => {
  t.regex(
    draw(TWO, { width: 200 })[2]!,
    /PID name +resident +working +share +hot +cold 5m +trend +cost heat$/,
  );
  t.regex(draw(TWO, { width: 60 })[2]!, /^ +PID name +resident +working +share +hot heat$/);
  t.regex(draw(TWO, { width: 20 })[2]!, /^ name +working$/);
});

test('the selected row and what has ended are marked without colours, too', (t) => {
  const model = modelOf(busy(10, 1), busy(20, 1));
  model.end(20, 0);
  const lines = draw(model, { selected: 0 });
  t.true(lines[3]!.startsWith('>'));
  t.true(lines[4]!.startsWith('x'));
  t.regex(lines[4]!, / ended /);
});

test('only rows in sight are drawn, from the first one on', (t) => {
  const model = modelOf(...Array.from({ length: 500 }, (_, i) => busy(i + 1, 1)));
  const lines = draw(model, { first: 100 });
  t.is(lines.length, 12);
  t.regex(lines[3]!, /^ +101 p101/);
  t.regex(lines[10]!, /^ +108 p108/);
});

test('what is known of shared pages is shown, and the sums are no bounds then', (t) => {
  const model = modelOf(busy(10, 1, { facts: {} }), busy(20, 1, { facts: {} }));
  model.sharing = {
    byTarget: new Map([[10, { sharedBytes: 7 * PAGE }]]),
    sums: { residentBytes: 150 * PAGE, workingSetBytes: PAGE },
  };
  const lines = draw(model, { width: 120 });
  t.regex(lines[1]!, /resident 600 KiB {2}working set 4 KiB/);
  t.regex(lines[2]!, /shared/);
  t.regex(lines[3]!, / 28 KiB /);
});

test('before the first snapshot there are rows, with what is known, and when it is due', (t) => {
  t.regex(draw(modelOf())[0]!, /waiting for a process to watch/);
  const model = modelOf();
  model.start({ id: 7, pid: 4711, startTime: '1', comm: 'early', cmdline: ['early'] });
  model.setFacts(7, { residentBytes: 300 * PAGE, parentPid: 1, cgroup: undefined });
  const state = model.state(1, 3_200_000);
  const lines = renderTop(state, BY_PID, selectRows(state.rows, BY_PID), { ...LIVE, width: 100 });
  t.is(lines[0], 'pagepulse top  waiting for the first snapshot, due in 4 s');
  t.regex(lines[1]!, /^1 process {2}resident 1.17 MiB {2}working set pending {2}by pid/);
  t.regex(lines[3]!, /^ +4711 early +1.17 MiB +- +- +- +- +pending/);
});

test('a process without a snapshot beside others is counted as pending, and comes after them by any figure', (t) => {
  const model = modelOf(busy(10, 1, { facts: {} }));
  model.start({ id: 7, pid: 7, startTime: '1', comm: 'early', cmdline: [] });
  t.regex(
    draw(model, { width: 120 })[1]!,
    /^2 processes {2}resident <= \S+ KiB {2}working set <= 4 KiB {2}1 pending/,
  );
  for (const sort of ['ws', 'hot', 'share'] as const) {
    const rows = draw(model, { width: 120 }, { sort }).slice(3, 5);
    t.regex(rows[0]!, /^ +10 p10/);
    t.regex(rows[1]!, /^ +7 early .* pending/);
  }
});

test('a filter that is being typed is shown as it is', (t) => {
  t.regex(draw(TWO, { isTyping: true }, { filter: 'post' }).at(-1)!, /^filter: post_/);
});

test('the help fits a terminal of 80 by 24, and one that is lower still says how to go back', (t) => {
  const lines = draw(TWO, { isHelp: true, height: 24 });
  t.is(lines.length, 24);
  t.regex(lines[22]!, /^sums /);
  for (const line of lines) t.notRegex(line, /…/);
  t.regex(draw(TWO, { isHelp: true, height: 8 }).at(-1)!, /Esc back$/);
});

test('no line is wider than the terminal, nor are there more than it has rows', (t) => {
  fc.assert(
    fc.property(
      models,
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom('none', '256', 'truecolor'),
      fc.constantFrom(...GROUP_KINDS),
      fc.record({ isHelp: fc.boolean(), isTyping: fc.boolean(), isFrozen: fc.boolean() }),
      fc.constantFrom('', 'p', '\x1b[2J漢字'),
      (model, width, height, colour, group, flags, filter) => {
        const expanded = new Set(['name a', 'name postgres', 'cgroup /']);
        const live = { width, height, colour, selected: 1, ...flags } as const;
        const lines = draw(model, live, { group, filter, expanded });
        t.true(lines.length <= height);
        for (const line of lines) {
          const text = line.replace(ATTRIBUTES, '');
          t.true(columnsOf(text) <= width, `${columnsOf(text)} in ${width}: ${JSON.stringify(text)}`);
          t.notRegex(text, /\p{C}/u);
          if (colour === 'none') t.is(text, line);
        }
      },
    ),
  );
});

test('as text it has no control sequences, and every row', (t) => {
  const state = TWO.state(1);
  const text = renderTopPlain(state, BY_PID, selectRows(state.rows, BY_PID), 120);
  t.is(text.split('\n').length, 7);
  t.notRegex(text.replaceAll('\n', ''), /\p{C}/u);
});

test('a sparkline goes from zero to the largest value, the latest at the right', (t) => {
  t.is(sparkline([0, 1, 50, 100], 4), '▁▂▅█');
  t.is(sparkline([0, 1, 50, 100], 2), '▅█');
  t.is(sparkline([7], 3), '  █');
  t.is(sparkline([0, 0], 2), '▁▁');
  t.is(sparkline([], 2), '  ');
  t.is(sparkline([1], 0), '');
});
