import test from 'ava';
import { SORT_KEYS, selectRows } from '../../../src/report/top/query.js';
import { firstView, press, settle, type TopView } from '../../../src/report/top/view.js';
import { BY_PID, busy, rowsOf } from './rows.js';

const FIFTY = rowsOf(
  ...Array.from({ length: 50 }, (_, i) => busy(i + 1, 50 - i, { comm: i < 25 ? 'a' : 'b' })),
);
const PAGE_ROWS = 10;

/** What these keys, one after the other, make of a view; a key of one character writes it. */
function after(...keys: readonly string[]): TopView | undefined {
  let view: TopView | undefined = firstView(BY_PID);
  for (const key of keys) {
    if (!view) break;
    const { rows } = selectRows(FIFTY, view);
    view = press(settle(view, { rows, page: PAGE_ROWS }), key, key.length === 1 ? key : '', {
      rows,
      page: PAGE_ROWS,
      sortable: SORT_KEYS.filter((each) => each !== 'shared'),
    });
  }
  return view;
}

test('arrows select a row, and keep it in sight', (t) => {
  t.like(after('down'), { selectedKey: 'process 1', first: 0 });
  t.like(after('down', 'down'), { selectedKey: 'process 2', first: 0 });
  t.like(after('down', 'pagedown'), { selectedKey: 'process 11', first: 1 });
  t.like(after('end'), { selectedKey: 'process 50', first: 40 });
  t.like(after('end', 'home'), { selectedKey: 'process 1', first: 0 });
  t.like(after('home', 'up'), { selectedKey: 'process 1' });
});

test('a row stays selected where it moves to, and the next takes its place when it goes', (t) => {
  const view = after('down', 'down')!;
  const sorted = selectRows(FIFTY, { ...view, isReversed: true }).rows;
  t.like(settle(view, { rows: sorted, page: PAGE_ROWS }), { selectedAt: 48, first: 39 });
  const left = FIFTY.filter(({ pid }) => pid !== 2);
  t.like(settle(view, { rows: left, page: PAGE_ROWS }), { selectedKey: 'process 3', selectedAt: 1 });
  t.like(settle(view, { rows: [], page: PAGE_ROWS }), { selectedKey: undefined, first: 0 });
});

test('letters and arrows choose what to sort by, r reverses', (t) => {
  t.like(after('w'), { sort: 'ws', isReversed: false });
  t.like(after('w', 'r'), { sort: 'ws', isReversed: true });
  t.like(after('right'), { sort: 'name' });
  t.like(after('left'), { sort: 'cost' });
  t.like(after('c', 'right'), { sort: 'trend' }, 'there is no column of shared memory');
});

test('a filter takes what is typed, q too, and Esc ends it', (t) => {
  t.like(after('/', 'q', 'r', 'backspace'), { filter: 'q', isTyping: true });
  t.like(after('/', 'q', 'enter'), { filter: 'q', isTyping: false });
  t.like(after('/', 'q', 'escape'), { filter: '', isTyping: false });
  t.like(after('/', 'q', 'enter', 'escape'), { filter: '', isTyping: false });
});

test('Enter opens the selected process, and Esc, q go back to the table', (t) => {
  t.like(after('enter'), { openId: 1 });
  t.like(after('down', 'down', 'enter'), { openId: 2 });
  t.like(after('enter', 'escape'), { openId: undefined });
  t.like(after('enter', 'q'), { openId: undefined });
  t.is(after('enter', 'q', 'q'), undefined);
});

test('Enter shows and hides the processes of a group', (t) => {
  const open = after('g', 'down', 'enter')!;
  t.true(open.expanded.has('name a'));
  t.like(after('g', 'down', 'enter', 'down', 'enter'), { openId: 1 });
  t.is(after('g', 'down', 'enter', 'enter')!.expanded.size, 0);
});

test('help, freezing and grouping are turned on and off', (t) => {
  t.true(after('?')!.isHelp);
  t.false(after('?', 'escape')!.isHelp);
  t.true(after('space')!.isFrozen);
  t.false(after('space', 'space')!.isFrozen);
  t.is(after('g', 'g', 'g', 'g')!.group, 'none');
  t.is(after('q'), undefined);
});
