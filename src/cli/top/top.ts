import { type Command, Option } from 'commander';
import type { Monitor } from '../../engine/monitor.js';
import { TopModel } from '../../report/top/model.js';
import {
  GROUP_KINDS,
  type GroupKind,
  type RowQuery,
  SORT_KEYS,
  type SortKey,
} from '../../report/top/query.js';
import { FactsReader } from '../../session/process-facts.js';
import { SharingReader } from '../../session/sharing-reader.js';
import { note, tellLost } from '../failure.js';
import { FirstSnapshot } from '../first-snapshot.js';
import { addWatchOptions, requireTargets, type WatchOptions } from '../options.js';
import { tellSelection } from '../selection-notes.js';
import { parseCount } from '../selection-options.js';
import { Stopping } from '../signals.js';
import { Waiting } from '../status-line.js';
import { watching } from '../watching.js';
import { Table } from './screen.js';
import { type TopDisplay, Updates } from './text.js';

interface TopOptions extends WatchOptions {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly sort: SortKey;
  readonly reverse?: boolean;
  readonly group: GroupKind;
  readonly filter: string;
  readonly limit?: number;
}

export function addTop(program: Command): void {
  addWatchOptions(program.command('top'))
    .description('show many processes in one table, live: working set, hot and cold memory of each')
    .option('--once', 'print one table after the first snapshots of all, and end')
    .option('--json', 'as JSON: one line an update, with --once one document')
    .addOption(
      new Option('--sort <key>', `by what: ${SORT_KEYS.join(', ')}`).choices(SORT_KEYS).default('ws'),
    )
    .option('--reverse', 'the other way round')
    .addOption(
      new Option('--group <kind>', `sums of processes with one: ${GROUP_KINDS.join(', ')}`)
        .choices(GROUP_KINDS)
        .default('none'),
    )
    .option('--filter <text>', 'only what has this in its name, command line or pid', '')
    .option('--limit <n>', 'so many rows at most', parseCount)
    .addHelpText(
      'after',
      '\nExamples:\n  pagepulse top --user postgres\n  pagepulse top --once --sort hot --name nginx --children',
    )
    .action(top);
}

async function top(command: readonly string[], options: TopOptions): Promise<void> {
  requireTargets(options, command, 'pagepulse top --pid 4242 --pid 4243');
  const stopping = new Stopping();
  // On a terminal the table has it to itself.
  const later: string[] = [];
  const tell = process.stdout.isTTY ? (text: string) => void later.push(text) : note;
  await watching({ options, command, stopping, tell }, async ({ monitor }) => {
    try {
      return await showTop(monitor, options, stopping.quit);
    } finally {
      for (const text of later) note(text);
    }
  });
}

/** Shows a monitor's table until it ends, or with `once` until all have been seen. Returns whether anything was seen. */
async function showTop(monitor: Monitor, options: TopOptions, quit: () => void): Promise<boolean> {
  const model = new TopModel();
  for (const target of monitor.targets) model.start(target);
  const first = new FirstSnapshot(monitor);
  const display = displayOf(model, first, options, quit);
  const sharing = new SharingReader(model, () => display.changed());
  const lost: string[] = [];
  const seen = new Set<number>();
  const waiting = options.once ? new Waiting(() => waitingText(monitor, seen, first)) : undefined;
  let isComplete = false;
  /** Whether there is a snapshot of each process that is watched. */
  const checkComplete = () => {
    if (!options.once || isComplete || seen.size === 0) return;
    if (!monitor.targets.every(({ id }) => seen.has(id))) return;
    isComplete = true;
    quit();
  };
  monitor.on('attached', (target) => {
    model.start(target);
    display.changed();
  });
  monitor.on('skipped', () => {
    model.skipped++;
    display.changed();
  });
  monitor.on('detached', (target, reason, message) => {
    model.end(target.id, performance.now());
    if (reason === 'failed') lost.push(tellLost(target, message));
    display.changed();
    checkComplete();
  });
  display.changed();
  try {
    for await (const snapshot of monitor) {
      if (isComplete) continue;
      seen.add(snapshot.target.id);
      model.add(snapshot);
      display.changed();
      if (!options.once) sharing.refresh();
      checkComplete();
    }
    if (options.once) await sharing.read();
    waiting?.end();
    display.finish();
  } finally {
    waiting?.end();
    display.close();
    await sharing.close();
    await monitor.stop().catch(() => {});
    // Not before: the table has the terminal to itself.
    for (const text of lost) note(text);
    tellSelection(monitor);
  }
  const { reason, stats } = await monitor.ended;
  if (stats.snapshots === 0) return false;
  if (reason === 'targets ended') note('what was watched has ended');
  return true;
}

function waitingText(monitor: Monitor, seen: ReadonlySet<number>, first: FirstSnapshot): string {
  if (seen.size === 0) return first.waitingText();
  const { targets } = monitor;
  const missing = targets.filter(({ id }) => !seen.has(id)).length;
  return `waiting for the first snapshots of ${missing} of ${targets.length} processes; Ctrl-C ends it`;
}

function displayOf(model: TopModel, first: FirstSnapshot, options: TopOptions, quit: () => void): TopDisplay {
  const selection = selectionOf(options);
  const facts = new FactsReader(model);
  const isOnTerminal = process.stdout.isTTY && process.env.TERM !== 'dumb';
  if (isOnTerminal && !options.once && !options.json) {
    return new Table(model, facts, selection, { onQuit: quit, first });
  }
  const { json = false, once = false } = options;
  return new Updates(model, facts, selection, { isJson: json, isOnce: once, first });
}

function selectionOf({ sort, reverse, group, filter, limit }: TopOptions): RowQuery {
  return {
    sort,
    isReversed: reverse ?? false,
    group,
    filter,
    limit: limit ?? Number.POSITIVE_INFINITY,
    expanded: new Set(),
  };
}
