import { setTimeout as pause } from 'node:timers/promises';
import { printable } from '../core/printable.js';
import type { Observation, ObservationSource } from '../report/source/observation.js';
import { formatBytes, formatDuration } from '../report/units.js';
import { beforeSignalEnds } from './signals.js';
import { StatusLine } from './status-line.js';

const SHOW_MS = 200;

/** Until a signal that was sent has been heard of. */
const SIGNAL_MS = 20;

/** Before it can be told how long the rest takes. */
const ETA_FROM_MS = 1_000;

/** How far a source is read that has a length. */
export interface Progress {
  /** As they are in the file: compressed ones count as compressed. */
  readonly bytesRead: number;
  /** Undefined for a pipe. */
  readonly totalBytes: number | undefined;
}

/** The same source; while it is read a line on the terminal says how far it is, where standard error is one. */
export function withProgress(
  source: ObservationSource & Partial<Progress>,
  status: Pick<StatusLine, 'isShown' | 'show' | 'clear'> = new StatusLine(),
): ObservationSource {
  if (!status.isShown || source.bytesRead === undefined) return source;
  return {
    header: source.header,
    notes: () => source.notes(),
    observations: () => observationsWithProgress(source as ObservationSource & Progress, status),
  };
}

async function* observationsWithProgress(
  source: ObservationSource & Progress,
  status: Pick<StatusLine, 'show' | 'clear'>,
): AsyncGenerator<Observation> {
  const beginMs = performance.now();
  let shownMs = beginMs;
  const stopListening = beforeSignalEnds(() => status.clear());
  try {
    for await (const observation of source.observations()) {
      const nowMs = performance.now();
      if (nowMs - shownMs >= SHOW_MS) {
        status.show(progressText(source.header.name, source, nowMs - beginMs));
        shownMs = nowMs;
      }
      yield observation;
    }
  } finally {
    // A Ctrl-C that has also ended who writes to the pipe may not have been heard of yet: it would be lost.
    if (source.totalBytes === undefined) await pause(SIGNAL_MS);
    stopListening();
    status.clear();
  }
}

/** `reading it.ndjson: 42 % of 1 GiB, 12 s left`. */
export function progressText(name: string, { bytesRead, totalBytes }: Progress, elapsedMs: number): string {
  if (totalBytes === undefined) return `reading ${printable(name)}: ${formatBytes(bytesRead)}`;
  // A record that is being written grows while it is read.
  const share = Math.min(1, bytesRead / Math.max(1, totalBytes));
  const leftMs = (elapsedMs * (1 - share)) / share;
  const left =
    elapsedMs >= ETA_FROM_MS && share > 0 && share < 1
      ? `, ${formatDuration(Math.ceil(leftMs / 1e3) * 1e6)} left`
      : '';
  return `reading ${printable(name)}: ${Math.floor(share * 100)} % of ${formatBytes(totalBytes)}${left}`;
}
