import { Command } from 'commander';
import type { TargetInfo } from '../../core/target.js';
import { isNamed } from '../../processes/selection.js';
import type { Observation, ObservationSource } from '../../report/source/observation.js';
import { openRecord } from '../../report/source/recorded.js';
import { formatDue, formatDuration } from '../../report/units.js';
import { LiveSource } from '../../session/live.js';
import { waitingText } from '../notes.js';
import { addMonitorOptions, hasFilters, requireTargets, type WatchOptions } from '../options.js';
import { ExitStatus, LiveStatus, note, UsageError } from '../output.js';
import { runSession } from '../run-session.js';
import { Stopping } from '../signals.js';
import type { ReportOptions } from './options.js';
import { withProgress } from './progress.js';

/** The arguments of a command line beside its options. */
export interface Operands {
  readonly records: readonly string[];
  /** A command to start and watch; empty if there is none. */
  readonly command: readonly string[];
}

/**
 * Separates records from a command: commander does not tell arguments after `--` from those before it.
 *
 * @throws UsageError if there are both
 */
export function operandsOf(args: readonly string[], argv: readonly string[] = process.argv): Operands {
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

/** Opens all of them first: a wrong name is reported before a large record has been read in vain. */
export async function openRecords(paths: readonly string[]): Promise<ObservationSource[]> {
  if (paths.filter((path) => path === '-').length > 1)
    throw new UsageError('standard input can only be read once; give - once');
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
  await runSession({ options, command, stopping, reportsFailures: true }, async (session, events) => {
    const { duration } = options;
    const until =
      duration === undefined
        ? session.child && ' until the command ends'
        : ` for ${formatDuration(duration)}`;
    const first = formatDue(session.firstSnapshotInUs);
    note(`watching${until ?? ''}; Ctrl-C to stop and report. The first snapshot is ${first}`);
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

/** The selection options that a record can answer. It does not say to which user or cgroup a process belonged. */
const OF_RECORDS = ['pid', 'name', 'exclude'] as const;

/** @throws UsageError for options that say how or what to watch */
function refuseWatching(options: WatchOptions): void {
  for (const option of addMonitorOptions(new Command()).options) {
    const name = option.attributeName() as keyof WatchOptions;
    if ((OF_RECORDS as readonly string[]).includes(name)) continue;
    if (options[name] === undefined || options[name] === option.defaultValue) continue;
    throw new UsageError(
      `${option.long} only applies to live monitoring and cannot be combined with a recording`,
    );
  }
}

/** The same source, limited to the processes that --pid, --name and --exclude choose. */
export function chosenOf(
  source: ObservationSource,
  { pid, name, exclude }: Pick<WatchOptions, (typeof OF_RECORDS)[number]>,
): ObservationSource {
  if (!pid && !name && !exclude) return source;
  const isChosen = ({ pid: itsPid, comm, cmdline }: TargetInfo) => {
    const traits = { comm: () => comm, cmdline: () => cmdline.join(' ') };
    const isWanted = name ? isNamed(name, traits) : !pid;
    return (pid?.includes(itsPid) ?? false) || (isWanted && !(exclude && isNamed(exclude, traits)));
  };
  return withObservations(source, async function* () {
    const others = new Set<number>();
    let chosen = 0;
    for await (const observation of source.observations()) {
      if (isChosen(observation.snapshot.target)) {
        chosen++;
        yield observation;
      } else others.add(observation.snapshot.target.id);
    }
    if (chosen === 0 && others.size > 0)
      note(`${source.header.name}: none of its ${others.size} processes matches`);
  });
}

function withObservations(
  source: ObservationSource,
  observations: () => AsyncGenerator<Observation>,
): ObservationSource {
  return { header: source.header, notes: () => source.notes(), observations };
}
