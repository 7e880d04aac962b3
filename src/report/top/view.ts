import { GROUP_KINDS, type RowQuery, type SortKey } from './query.js';
import type { TopRow } from './rows.js';

/** How the user wants to see the table. */
export interface TopView extends RowQuery {
  /** Key of the selected row, and its last index; undefined before the first arrow key. */
  readonly selectedKey: string | undefined;
  readonly selectedAt: number;
  /** Index of the first visible row. */
  readonly first: number;
  readonly isTyping: boolean;
  readonly isFrozen: boolean;
  readonly isHelp: boolean;
  /** Target id of the process that is open. */
  readonly openId: number | undefined;
}

/** The table that a key acts on. */
export interface Table {
  /** By the same view. */
  readonly rows: readonly TopRow[];
  /** Rows that are visible at once. */
  readonly page: number;
  /** Keys that have a column. */
  readonly sortable: readonly SortKey[];
}

const SORT_BY_KEY: Readonly<Record<string, SortKey>> = {
  p: 'pid',
  n: 'name',
  m: 'resident',
  w: 'ws',
  s: 'share',
  h: 'hot',
  c: 'cold',
  t: 'trend',
  x: 'cost',
};

export function firstView(query: Omit<RowQuery, 'expanded'>): TopView {
  return {
    ...query,
    expanded: new Set(),
    selectedKey: undefined,
    selectedAt: 0,
    first: 0,
    isTyping: false,
    isFrozen: false,
    isHelp: false,
    openId: undefined,
  };
}

/** The view with its selection on an existing row, and in sight: rows come, go and move. */
export function settle(view: TopView, { rows, page }: Pick<Table, 'rows' | 'page'>): TopView {
  const last = Math.max(0, rows.length - 1);
  let { selectedKey, selectedAt, first } = view;
  if (selectedKey !== undefined) {
    const at = rows.findIndex(({ key }) => key === selectedKey);
    selectedAt = at >= 0 ? at : Math.min(selectedAt, last);
    selectedKey = rows[selectedAt]?.key;
    first = Math.max(selectedAt - page + 1, Math.min(first, selectedAt));
  }
  return { ...view, selectedKey, selectedAt, first: Math.max(0, Math.min(first, rows.length - page)) };
}

/**
 * The view after a key.
 *
 * @param name of the key, and the text it writes, as in KeyPress
 * @returns undefined to quit
 */
export function press(view: TopView, name: string, text: string, table: Table): TopView | undefined {
  if (view.isTyping) return typed(view, name, text);
  if (view.isHelp) return ['escape', 'q', '?', 'enter'].includes(name) ? { ...view, isHelp: false } : view;
  if (name === '?') return { ...view, isHelp: true };
  if (name === 'space') return { ...view, isFrozen: !view.isFrozen };
  if (view.openId !== undefined) {
    return ['escape', 'q', 'enter', 'left'].includes(name) ? { ...view, openId: undefined } : view;
  }
  const sort = SORT_BY_KEY[name];
  if (sort) return { ...view, sort, isReversed: false };
  switch (name) {
    case 'q':
    case 'Q':
      return undefined;
    case 'escape':
      return view.filter === ''
        ? { ...view, selectedKey: undefined, selectedAt: 0, first: 0 }
        : { ...view, filter: '' };
    case 'enter':
      return entered(view, table);
    case '/':
      return { ...view, isTyping: true };
    case 'r':
      return { ...view, isReversed: !view.isReversed };
    case 'g':
      return {
        ...view,
        group: GROUP_KINDS[(GROUP_KINDS.indexOf(view.group) + 1) % GROUP_KINDS.length]!,
        selectedKey: undefined,
        selectedAt: 0,
        first: 0,
      };
    case 'left':
      return { ...view, sort: neighbour(view.sort, -1, table), isReversed: false };
    case 'right':
      return { ...view, sort: neighbour(view.sort, 1, table), isReversed: false };
    default:
      return moved(view, name, table);
  }
}

function typed(view: TopView, name: string, text: string): TopView {
  if (name === 'enter') return { ...view, isTyping: false };
  if (name === 'escape') return { ...view, isTyping: false, filter: '' };
  if (name === 'ctrl-u') return { ...view, filter: '' };
  if (name === 'backspace') return { ...view, filter: [...view.filter].slice(0, -1).join('') };
  return text === '' ? view : { ...view, filter: view.filter + text };
}

/** Opens the selected row, or the first one if none is selected. */
function entered(view: TopView, { rows }: Table): TopView {
  const row = view.selectedKey === undefined ? rows[0] : rows[view.selectedAt];
  if (!row) return view;
  const selected = { ...view, selectedKey: row.key, selectedAt: rows.indexOf(row) };
  if (row.kind === 'process') return { ...selected, openId: row.id };
  const expanded = new Set(view.expanded);
  if (!expanded.delete(row.key)) expanded.add(row.key);
  return { ...selected, expanded };
}

function neighbour(sort: SortKey, step: 1 | -1, { sortable }: Table): SortKey {
  const at = sortable.indexOf(sort);
  return sortable[(at + step + sortable.length) % sortable.length] ?? sort;
}

function moved(view: TopView, name: string, { rows, page }: Table): TopView {
  const steps: Readonly<Record<string, number>> = {
    up: -1,
    down: 1,
    pageup: -page,
    pagedown: page,
    home: Number.NEGATIVE_INFINITY,
    end: Number.POSITIVE_INFINITY,
  };
  const step = steps[name];
  if (step === undefined || rows.length === 0) return view;
  // The first arrow key selects a visible row.
  const from =
    view.selectedKey === undefined ? Math.max(view.first, 0) - (step === 1 ? 1 : 0) : view.selectedAt;
  const selectedAt = Math.max(0, Math.min(rows.length - 1, from + step));
  return settle({ ...view, selectedAt, selectedKey: rows[selectedAt]!.key }, { rows, page });
}
