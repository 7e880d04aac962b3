import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What every reader keeps to, whatever an input of one megabyte holds. */
export const MAX_BYTES = 300 * 2 ** 20;
export const MAX_MS = 10_000;

const POLL_MS = 10;

export interface Limited {
  peakBytes: number;
  /** Why the process was killed; undefined if it was not. */
  killed?: string;
}

/** Watches a process from outside, where no limit of V8 and no endless loop gets in the way, and kills what exceeds the limit. */
export function limitMemory(child: ChildProcess, maxBytes = MAX_BYTES): Limited {
  const limited: Limited = { peakBytes: 0 };
  const timer = setInterval(() => {
    limited.peakBytes = Math.max(limited.peakBytes, peakBytesOf(child.pid!));
    if (limited.peakBytes <= maxBytes) return;
    limited.killed ??= `more than ${maxBytes / 2 ** 20} MiB`;
    child.kill('SIGKILL');
  }, POLL_MS);
  child.once('exit', () => clearInterval(timer));
  return limited;
}

/** The most memory that a process has had; 0 once it has ended. */
function peakBytesOf(pid: number): number {
  try {
    const [, kibibytes = 0] = /^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kibibytes) * 1_024;
  } catch {
    return 0;
  }
}
