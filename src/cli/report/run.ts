import type { ObservationSource } from '../../report/source/observation.js';
import { type Window, within } from '../../report/source/observation.js';
import { type SourceInfo, Span, type Summary, sourceInfo } from '../../report/summaries/summary.js';
import { formatDue, formatDuration } from '../../report/units.js';
import { LiveSource } from '../../session/live.js';
import { waitingText } from '../notes.js';
import { hasFilters } from '../options.js';
import { ExitStatus, LiveStatus, note, print, printJson, UsageError } from '../output.js';
import { planOf, runSession } from '../run-session.js';
import type { ReportOptions } from './options.js';
import { chosenOf, openRecords, refuseWatching, withObservations, withProgress } from './records.js';

/** Of JSON documents: raised when a field changes its meaning, not when one is added. */
const JSON_VERSION = 1;

/** How a kind of report is made and shown. */
export interface ReportKind<Result> {
  readonly name: string;
  make(): Summary<Result>;
  text(source: SourceInfo, result: Result): string;
  /** What goes into JSON. Default all of it. */
  json?(result: Result): object;
}

/** Makes a report of each source; in JSON one document for all. */
export async function runReport<Result extends object>(
  kind: ReportKind<Result>,
  args: readonly string[],
  options: ReportOptions,
  window: Window,
): Promise<void> {
  const documents: object[] = [];
  let isFirst = true;
  await forEachSource(args, options, async (source) => {
    const { summary, result } = await reportOn(source, kind.make(), window);
    if (options.json) documents.push({ ...summary, ...(kind.json?.(result) ?? result) });
    else await print(`${isFirst ? '' : '\n'}${kind.text(summary, result)}`);
    isFirst = false;
  });
  if (options.json) await printDocument({ ...jsonHeader(kind.name), sources: documents });
}

/** Reports on a part of a source. */
export async function reportOn<Result>(
  source: ObservationSource,
  report: Summary<Result>,
  window: Window,
): Promise<{ summary: SourceInfo; result: Result }> {
  const span = new Span();
  for await (const observation of within(source.observations(), window)) {
    span.add(observation.snapshot.startUs, observation.snapshot.endUs);
    report.add(observation);
  }
  const result = report.result();
  return { summary: sourceInfo(source.header, span, source.notes()), result };
}

/** The first fields of every document. */
export function jsonHeader(name: string): object {
  return { type: `report ${name}`, version: JSON_VERSION };
}

export function printDocument(document: object): Promise<void> {
  return printJson(document, rounded);
}

/** For printJson: a millionth is finer than any measurement. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Math.round(value * 1e6) / 1e6 : value;
}

/**
 * Separates records from a command: commander does not tell arguments after `--` from those before it.
 *
 * @throws UsageError if there are both
 */
export function operandsOf(args: readonly string[]) {
  const { argv } = process;
  const dashes = argv.indexOf('--');
  const begin = dashes < 0 ? args.length : args.length - (argv.length - dashes - 1);
  const [records, command] = [args.slice(0, begin), args.slice(begin)];
  if (records.length === 0 || command.length === 0) return { records, command };
  throw new UsageError('a recording and a command cannot be combined; leave one of them out');
}

/**
 * Goes through everything the command line names, one source after the other, and then notes what was wrong with it. Live
 * processes are one source, which ends with the session.
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
  const plan = planOf(options, command, 'pagepulse report wss --pid 4242');
  await runSession({ ...plan, reportsFailures: true }, async (session, events) => {
    const { duration } = options;
    const untilEnd = session.child ? ' until the command ends' : '';
    const until = duration === undefined ? untilEnd : ` for ${formatDuration(duration)}`;
    const first = formatDue(session.firstSnapshotInUs);
    note(`watching${until}; Ctrl-C to stop and report. The first snapshot is ${first}`);
    const source = new LiveSource(session, events);
    const status = new LiveStatus(() => waitingText(session));
    try {
      await each(atFirst(source, () => status.end()));
    } catch (error) {
      // A report that has nothing to show does not know why; runSession does.
      if (!(error instanceof ExitStatus)) throw error;
    } finally {
      status.end();
    }
    for (const text of source.notes()) note(text);
    return (await session.ended).stats.snapshots > 0;
  });
}

/** The same source; calls back at its first observation, or its end. */
function atFirst(source: ObservationSource, callback: () => void): ObservationSource {
  return withObservations(source, async function* () {
    for await (const observation of source.observations()) {
      callback();
      yield observation;
    }
    callback();
  });
}
