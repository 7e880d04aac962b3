import type { Command } from 'commander';
import type { ObservationSource } from '../../report/source/observation.js';
import { openRecord } from '../../report/source/recorded.js';
import { formatDue, formatDuration } from '../../report/units.js';
import { openLive } from '../../session/live.js';
import { ExitStatus, note, UsageError } from '../failure.js';
import { FirstSnapshot } from '../first-snapshot.js';
import { addMonitorOptions, requireTargets, type WatchOptions } from '../options.js';
import { withProgress } from '../reading-progress.js';
import { tellSelection } from '../selection-notes.js';
import { hasFilters } from '../selection-options.js';
import { Stopping } from '../signals.js';
import { Waiting } from '../status-line.js';
import { watching } from '../watching.js';
import { chosenOf, refuseWatching } from './chosen.js';
import { parseDurationOrZero, parseMoment } from './values.js';

/** What every kind of report takes: records, or what to watch. */
export interface ReportOptions extends WatchOptions {
  readonly json?: boolean;
}

/** Adds records as arguments, the options of the commands that watch, and --json. */
export function addReportOptions(command: Command): Command {
  return addMonitorOptions(
    command
      .usage('[options] [record... | -- command...]')
      .argument(
        '[record...]',
        'records, or - for standard input; without, what is chosen is watched, or a command that comes after --',
      ),
  ).option('--json', 'as JSON, in bytes and microseconds');
}

/** What stands on a command line beside the options. */
export interface Operands {
  readonly records: readonly string[];
  /** To be started and watched; empty where there is none. */
  readonly command: readonly string[];
}

/**
 * Parts records and a command: to commander, what follows `--` is like what stands before it.
 *
 * @throws UsageError where there are both
 */
export function operandsOf(args: readonly string[], argv: readonly string[] = process.argv): Operands {
  const dashes = argv.indexOf('--');
  const begin = dashes < 0 ? args.length : args.length - (argv.length - dashes - 1);
  const [records, command] = [args.slice(0, begin), args.slice(begin)];
  if (records.length === 0 || command.length === 0) return { records, command };
  throw new UsageError('a record is from before, and a command would be watched now; leave one of them out');
}

/** A part of the time. */
export function addStretchOptions(command: Command): Command {
  return command
    .option('--from <time>', 'only from here on, since the recording began', parseDurationOrZero)
    .option('--to <time>', 'only until here', parseDurationOrZero);
}

/** The same, or a moment. */
export function addMomentOptions(command: Command): Command {
  return addStretchOptions(command).option(
    '--at <time>',
    'a moment, or `end`: one snapshot of each process (default: means over all)',
    parseMoment,
  );
}

/**
 * Goes through all that the command line names beside its options, one source after the other. What was wrong with a source is said on
 * standard error when it has been gone through. What is watched is one source, which ends with the watching.
 *
 * @throws UsageError, PagepulseError
 */
export async function forEachSource(
  args: readonly string[],
  options: ReportOptions,
  each: (source: ObservationSource) => Promise<void>,
): Promise<void> {
  const { records, command } = operandsOf(args);
  if (records.length === 0) return watched(command, options, each);
  refuseWatching(options);
  for (const source of await openRecords(records)) {
    await each(chosenOf(withProgress(source), options));
    for (const text of source.notes()) note(text);
  }
}

/** All are opened first: a name that is wrong is told before a large record was read in vain. */
export async function openRecords(paths: readonly string[]): Promise<ObservationSource[]> {
  if (paths.filter((path) => path === '-').length > 1)
    throw new UsageError('standard input can be read once; give - once');
  const sources: ObservationSource[] = [];
  for (const path of paths) sources.push(await openRecord(path));
  return sources;
}

async function watched(
  command: readonly string[],
  options: ReportOptions,
  each: (source: ObservationSource) => Promise<void>,
): Promise<void> {
  if (!options.pid && !hasFilters(options) && command.length === 0) {
    throw new UsageError(
      'nothing to report on: give records, or what to watch, as in `pagepulse report wss it.ndjson`, ' +
        '`pagepulse report wss --pid 4242 --duration 10s` or `pagepulse report wss -- make`',
    );
  }
  requireTargets(options, command, 'pagepulse report wss --pid 4242');
  const stopping = new Stopping();
  await watching({ options, command, stopping }, async ({ monitor, child }) => {
    const { duration } = options;
    const first = new FirstSnapshot(monitor);
    const until =
      duration === undefined ? (child ? ' until the command ends' : '') : ` for ${formatDuration(duration)}`;
    note(`watching${until}; Ctrl-C ends it and reports. The first snapshot is ${formatDue(first.inUs)}`);
    const source = openLive(monitor);
    const waiting = new Waiting(() => first.waitingText());
    try {
      await each(endingAtFirst(source, waiting));
    } catch (error) {
      // What says that it has nothing to show does not know why.
      if (!(error instanceof ExitStatus)) throw error;
    } finally {
      waiting.end();
    }
    for (const text of source.notes()) note(text);
    tellSelection(monitor);
    return (await monitor.ended).stats.snapshots > 0;
  });
}

/** The same source; its first observation, or its end, ends the waiting. */
function endingAtFirst(source: ObservationSource, waiting: Waiting): ObservationSource {
  return {
    header: source.header,
    notes: () => source.notes(),
    async *observations() {
      for await (const observation of source.observations()) {
        waiting.end();
        yield observation;
      }
      waiting.end();
    },
  };
}
