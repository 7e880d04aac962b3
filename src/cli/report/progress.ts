import { setTimeout as pause } from 'node:timers/promises';
import { printable } from '../../core/printable.js';
import type { Observation, ObservationSource } from '../../report/source/observation.js';
import { formatBytes, formatDuration } from '../../report/units.js';
import { StatusLine } from '../output.js';
import { beforeSignalEnds } from '../signals.js';

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
    // A Ctrl-C that ended the writer of the pipe may not have been delivered here yet, and would be lost.
    if (source.totalBytes === undefined) await pause(SIGNAL_MS);
    stopListening();
    status.clear();
  }
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
