import { clip } from '../characters.js';
import { bold, type ColourMode } from '../colour.js';

/** Keys and what they do, in the order of the help. With the columns below it fits a terminal of 80 by 24. */
const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ['arrows up and down', 'select a row; PgUp, PgDn, Home, End do, too'],
  ['Enter', 'open a process, or unfold a group'],
  ['Esc, q', 'back; q quits from the table'],
  ['left, right', 'sort by the column before or after; or by a letter:'],
  ['p n m w s h c t x', 'pid, name, resident, working, share, hot, cold, trend, cost'],
  ['r', 'reverse the order'],
  ['/', 'filter by name, command line or pid; Esc ends it'],
  ['g', 'group by name, cgroup, parent, not at all'],
  ['space', 'freeze the table, and let it go on'],
  ['Ctrl-L', 'draw all again'],
];

const COLUMNS: readonly (readonly [title: string, what: string])[] = [
  ['working', 'memory accessed in the last aggregation interval; - is not known'],
  ['share', 'working set / resident'],
  ['hot', 'accessed in at least half of the samples; - with one look an interval'],
  ['cold 5m', 'resident, and not accessed for 5 minutes or more'],
  ['shared', 'resident memory that other watched processes have too'],
  ['trend', 'working set after the last snapshots, from 0 to its largest'],
  ['cost', 'its part of what watching costs, of one core'],
  ['heat', 'memory by address, cold to hot; if counted by mapping, end to end'],
];

const KEYS_WIDTH = 20;
const TITLE_WIDTH = 9;

export function helpLines(width: number, colour: ColourMode): string[] {
  const lines = [
    ...KEYS.map(([keys, what]) => keys.padEnd(KEYS_WIDTH) + what),
    '',
    ...COLUMNS.map(([title, what]) => title.padEnd(TITLE_WIDTH) + what),
    'sums     marked <=, and groups, count shared memory for each process',
  ];
  return [bold(clip('Keys and columns', width), colour), ...lines.map((line) => clip(line, width))];
}
