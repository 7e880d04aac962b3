import type { Command } from 'commander';
import type { ObservationSource } from '../../report/source/observation.js';
import { openRecord } from '../../report/source/recorded.js';
import { note, UsageError } from '../failure.js';
import { addMonitorOptions, type WatchOptions } from '../options.js';

/** What every kind of report takes: records, or what to watch. */
export interface ReportOptions extends WatchOptions {
  readonly json?: boolean;
}

/** Adds records as arguments, the options of the commands that watch, and --json. */
export function addReportOptions(command: Command): Command {
  return addMonitorOptions(command.argument('[record...]', 'records; - is standard input')).option(
    '--json',
    'as JSON, in bytes and microseconds',
  );
}

/**
 * Goes through all that the command line names, one source after the other. What was wrong with a source is said on
 * standard error when it has been gone through.
 *
 * @throws UsageError, PagepulseError
 */
export async function forEachSource(
  paths: readonly string[],
  _options: ReportOptions,
  each: (source: ObservationSource) => Promise<void>,
): Promise<void> {
  if (paths.length === 0) throw new UsageError('nothing to report on: give records, or --pid PID');
  // All are opened first: a name that is wrong is told before a large record was read in vain.
  const sources: ObservationSource[] = [];
  for (const path of paths) sources.push(await openRecord(path));
  for (const source of sources) {
    await each(source);
    for (const text of source.notes()) note(text);
  }
}
