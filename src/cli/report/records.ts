import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import { printable } from '../../core/printable.js';
import type { TargetInfo } from '../../core/target.js';
import { isNamed } from '../../processes/selection.js';
import type { Observation, ObservationSource } from '../../report/source/observation.js';
import { openRecord } from '../../report/source/recorded.js';
import { formatBytes, formatDuration } from '../../report/units.js';
import { addMonitorOptions, type WatchOptions } from '../options.js';
import { note, StatusLine, UsageError } from '../output.js';
import { beforeSignalEnds } from '../signals.js';

// Records as the sources of reports.

/** Opens all of them first: a wrong name is reported before a large record has been read in vain. */
export async function openRecords(paths: readonly string[]): Promise<ObservationSource[]> {
  if (paths.filter((path) => path === '-').length > 1)
    throw new UsageError('standard input can only be read once; give - once');
  const sources: ObservationSource[] = [];
  for (const path of paths) sources.push(await openRecord(path));
  return sources;
}

/** The selection options that a record can answer. It does not say to which user or cgroup a process belonged. */
const OF_RECORDS = ['pid', 'name', 'exclude'] as const;

/** @throws UsageError for options that say how or what to watch */
export function refuseWatching(options: WatchOptions): void {
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

export function withObservations(
  source: ObservationSource,
  observations: () => AsyncGenerator<Observation>,
): ObservationSource {
  return { header: source.header, notes: () => source.notes(), observations };
}

const SHOW_MS = 200;

/** A signal that was sent has been delivered after this time. */
const SIGNAL_MS = 20;

/** Before this, the time that is left cannot be estimated. */
const ETA_FROM_MS = 1_000;

/** How far a source has been read. */
export interface Progress {
  /** As in the file: compressed bytes, if it is compressed. */
  readonly bytesRead: number;
  /** Undefined for a pipe. */
  readonly totalBytes: number | undefined;
}

/** The same source. If standard error is a terminal, a status line shows how far it has been read. */
export function withProgress(
  source: ObservationSource & Partial<Progress>,
  status: Pick<StatusLine, 'isShown' | 'show' | 'clear'> = new StatusLine(),
): ObservationSource {
  if (!status.isShown || source.bytesRead === undefined) return source;
  const progress = source as ObservationSource & Progress;
  async function* observations(): AsyncGenerator<Observation> {
    const beginMs = performance.now();
    let shownMs = beginMs;
    const stopListening = beforeSignalEnds(() => status.clear());
    try {
      for await (const observation of progress.observations()) {
        const nowMs = performance.now();
        if (nowMs - shownMs >= SHOW_MS) {
          status.show(progressText(progress.header.name, progress, nowMs - beginMs));
          shownMs = nowMs;
        }
        yield observation;
      }
    } finally {
      // A Ctrl-C that ended the writer of the pipe may not have been delivered here yet, and would be lost.
      if (progress.totalBytes === undefined) await pause(SIGNAL_MS);
      stopListening();
      status.clear();
    }
  }
  return withObservations(source, observations);
}

/** `reading it.ndjson: 42 % of 1 GiB, 12 s left`. */
export function progressText(name: string, { bytesRead, totalBytes }: Progress, elapsedMs: number): string {
  if (totalBytes === undefined) return `reading ${printable(name)}: ${formatBytes(bytesRead)}`;
  // A record may still be growing.
  const share = Math.min(1, bytesRead / Math.max(1, totalBytes));
  const leftMs = (elapsedMs * (1 - share)) / share;
  const left =
    elapsedMs >= ETA_FROM_MS && share > 0 && share < 1
      ? `, ${formatDuration(Math.ceil(leftMs / 1e3) * 1e6)} left`
      : '';
  return `reading ${printable(name)}: ${Math.floor(share * 100)} % of ${formatBytes(totalBytes)}${left}`;
}
