import type { Command } from 'commander';
import { openLive } from '../../report/source/live.js';
import type { ObservationSource } from '../../report/source/observation.js';
import { openRecord } from '../../report/source/recorded.js';
import { formatDuration } from '../../report/units.js';
import { ExitStatus, note, UsageError } from '../failure.js';
import { addMonitorOptions, requireTargets, type WatchOptions } from '../options.js';
import { withProgress } from '../reading-progress.js';
import { tellSelection } from '../selection-notes.js';
import { hasFilters } from '../selection-options.js';
import { onStopSignal, startWatching } from '../watching.js';
import { chosenOf } from './chosen.js';
import { parseDurationOrZero, parseMoment } from './values.js';

/** What every kind of report takes: records, or what to watch. */
export interface ReportOptions extends WatchOptions {
  readonly json?: boolean;
}

/** Adds records as arguments, the options of the commands that watch, and --json. */
export function addReportOptions(command: Command): Command {
  return addMonitorOptions(
    command.argument('[record...]', 'records, or - for standard input; without, what is chosen is watched'),
  ).option('--json', 'as JSON, in bytes and microseconds');
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
 * Goes through all that the command line names, one source after the other. What was wrong with a source is said on
 * standard error when it has been gone through. What is watched is one source, which ends with the watching.
 *
 * @throws UsageError, PagepulseError
 */
export async function forEachSource(
  paths: readonly string[],
  options: ReportOptions,
  each: (source: ObservationSource) => Promise<void>,
): Promise<void> {
  if (paths.length === 0) return watched(options, each);
  for (const source of await openRecords(paths)) {
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
  options: ReportOptions,
  each: (source: ObservationSource) => Promise<void>,
): Promise<void> {
  if (!options.pid && !hasFilters(options)) {
    throw new UsageError(
      'nothing to report on: give records, or what to watch, as in `pagepulse report wss it.ndjson` or ' +
        '`pagepulse report wss --pid 4242 --duration 10s`',
    );
  }
  requireTargets(options, [], 'pagepulse report wss --pid 4242');
  const stopWith = onStopSignal();
  const { monitor } = await startWatching(options, []);
  stopWith(() => void monitor.stop());
  const { duration } = options;
  note(
    duration === undefined
      ? 'watching; Ctrl-C ends it and reports'
      : `watching for ${formatDuration(duration)}`,
  );
  const source = openLive(monitor);
  try {
    await each(source);
  } finally {
    await monitor.stop().catch(() => {});
  }
  for (const text of source.notes()) note(text);
  tellSelection(monitor);
  const { stats } = await monitor.ended;
  if (stats.snapshots > 0) return;
  note(`nothing was seen: it ended before the first snapshot (${formatDuration(monitor.attrs.aggrUs)})`);
  throw new ExitStatus(1);
}
