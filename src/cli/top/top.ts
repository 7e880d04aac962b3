import { type Command, Option } from 'commander';
import { topDocument } from '../../report/top/json.js';
import { renderTopPlain } from '../../report/top/layout.js';
import {
  GROUP_KINDS,
  type GroupKind,
  type RowQuery,
  SORT_KEYS,
  type SortKey,
  selectRows,
} from '../../report/top/query.js';
import { ProcessTable } from '../../session/process-table.js';
import type { Session, SessionEvent } from '../../session/session.js';
import { waitingText } from '../notes.js';
import { addWatchOptions, parseCount, type WatchOptions, withExamples } from '../options.js';
import { Alarm, isBehind, LiveStatus, write, writeJson } from '../output.js';
import { planOf, runSession } from '../run-session.js';
import { isScreen } from '../terminal/screen.js';
import { TableScreen } from './screen.js';

interface TopOptions extends WatchOptions {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly sort: SortKey;
  readonly reverse?: boolean;
  readonly group: GroupKind;
  readonly filter: string;
  readonly limit?: number;
}

export function define(command: Command): void {
  addWatchOptions(command)
    .option('--once', 'print one table once every process has a snapshot, then exit')
    .option('--json', 'print JSON: one line per update, with --once one document')
    .addOption(new Option('--sort <key>', `sort by ${SORT_KEYS.join(', ')}`).choices(SORT_KEYS).default('ws'))
    .option('--reverse', 'reverse the order')
    .addOption(
      new Option('--group <kind>', `sum up processes by ${GROUP_KINDS.join(', ')}`)
        .choices(GROUP_KINDS)
        .default('none'),
    )
    .option('--filter <text>', 'show only rows with this in name, command line or PID', '')
    .option('--limit <n>', 'show at most N rows', parseCount)
    .action(top);
  withExamples(command, 'top --user postgres', 'top --once --sort hot --name nginx --children');
}

async function top(command: readonly string[], options: TopOptions): Promise<void> {
  const plan = planOf(options, command, 'pagepulse top --pid 4242 --pid 4243');
  await runSession({ ...plan, draws: true }, async (session, events) => {
    await showTop(session, events, options, plan.stopping.quit);
    return (await session.ended).stats.snapshots > 0;
  });
}

/** Shows the table until the session ends, or with `once` until every process has a snapshot. */
async function showTop(
  session: Session,
  events: AsyncIterable<SessionEvent>,
  options: TopOptions,
  quit: () => void,
): Promise<void> {
  const { once = false } = options;
  const table = new ProcessTable(session, () => display.changed());
  const display = displayOf(table, options, quit);
  const seen = new Set<number>();
  const waiting = once ? new LiveStatus(() => waitingForAll(session, seen)) : undefined;
  let isComplete = false;
  try {
    for await (const event of events) {
      if (event.type === 'snapshot') {
        if (isComplete) continue;
        seen.add(event.snapshot.target.id);
      }
      table.take(event);
      if (event.type === 'snapshot' && !once) table.sharing.refresh();
      if (once && !isComplete && seen.size > 0 && session.monitor.targets.every(({ id }) => seen.has(id))) {
        isComplete = true;
        quit();
      }
    }
    if (once) await table.sharing.read();
    waiting?.end();
    display.finish();
  } finally {
    waiting?.end();
    display.close();
    await table.close();
  }
}

function waitingForAll(session: Session, seen: ReadonlySet<number>): string {
  if (seen.size === 0) return waitingText(session);
  const { targets } = session.monitor;
  const missing = targets.filter(({ id }) => !seen.has(id)).length;
  return `waiting for the first snapshots of ${missing} of ${targets.length} processes; Ctrl-C to stop`;
}

/** The table on a terminal, or in a file or pipe. */
interface TopDisplay {
  changed(): void;
  /** Shows the last state if a file or pipe would miss it. */
  finish(): void;
  close(): void;
}

function displayOf(table: ProcessTable, options: TopOptions, quit: () => void): TopDisplay {
  const { sort, reverse: isReversed = false, group, filter, limit = Number.POSITIVE_INFINITY } = options;
  const selection = { sort, isReversed, group, filter, limit, expanded: new Set<string>() };
  const { json: isJson = false, once: isOnce = false } = options;
  if (isScreen() && !isOnce && !isJson) return new TableScreen(table, selection, quit);
  return new TableUpdates(table, selection, isJson, isOnce);
}

const PRINT_MS = 1_000;
/** Without a terminal the width is unknown; this holds every column. */
const PLAIN_WIDTH = 120;

/** The table as text or JSON on standard output, at most once a second and only after changes. */
class TableUpdates implements TopDisplay {
  readonly #alarm = new Alarm(() => this.#printUnlessBehind());
  #printedMs = Number.NEGATIVE_INFINITY;

  /** @param isOnce prints only the last state, if it has a snapshot */
  constructor(
    readonly table: ProcessTable,
    readonly selection: RowQuery,
    readonly isJson: boolean,
    readonly isOnce: boolean,
  ) {}

  changed(): void {
    if (!this.isOnce) this.#alarm.set(this.#printedMs + PRINT_MS - performance.now());
  }

  finish(): void {
    if (this.isOnce || this.#alarm.isSet) this.#print();
  }

  close(): void {
    this.#alarm.close();
  }

  #printUnlessBehind(): void {
    this.#alarm.clear();
    if (isBehind()) this.#alarm.set(PRINT_MS);
    else this.#print();
  }

  #print(): void {
    this.#alarm.clear();
    this.#printedMs = performance.now();
    const { table, selection, isJson, isOnce } = this;
    const { rows, latest } = table.state();
    if (rows.length === 0 || (isOnce && !latest)) return;
    const needsCgroup = isJson || selection.group === 'cgroup';
    table.facts.refresh(rows, new Set(rows.map(({ id }) => id)), needsCgroup);
    const state = table.state();
    const selected = selectRows(state.rows, selection, table.facts.nameOfParent);
    if (isJson) {
      writeJson(topDocument(state, selection, selected), undefined, isOnce ? 2 : undefined);
      return;
    }
    const text = renderTopPlain(state, selection, selected, process.stdout.columns || PLAIN_WIDTH);
    write(isOnce ? text : `${text}\n`);
  }
}
