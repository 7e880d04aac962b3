import { PagepulseError } from '../../core/errors.js';
import { Pagemap } from '../../kernel/pagemap.js';
import type { Slices } from '../../kernel/slices.js';
import { readStat } from '../../kernel/stat.js';
import { isEndedState } from '../../kernel/stat-fields.js';
import type { SharingMethod, SharingTarget, TargetSharing } from './types.js';

/** What a target was found to have, or that it is not there any longer. */
export type Found = Omit<TargetSharing, 'id' | 'pid'> | 'ended';

/** A way to count what processes share. */
export interface Way {
  readonly method: SharingMethod;
  /** Memory that it keeps for counting, in bytes. */
  readonly allocatedBytes: number;
  /** Before the first target of a survey. */
  begin(): void;
  /** @throws PagepulseError `NO_PROCESS`, `PERMISSION`, `TOO_LARGE`, `UNSUPPORTED` */
  read(target: SharingTarget, slices: Slices): Promise<Found>;
  /** After all targets were read: what one of them shares, in bytes; undefined where `read` has said so already. */
  readShared(target: SharingTarget, slices: Slices): Promise<number | undefined>;
  /** After all targets were read. */
  sums(): { readonly residentBytes: number; readonly workingSetBytes: number };
  close(): void;
}

/**
 * The page table of a target. Its start time is looked at afterwards: if the process is still the same then, it was when
 * the file was opened, and the file stays that of its address space.
 *
 * @throws PagepulseError `NO_PROCESS` (also where it is another process by now, or a zombie), `PERMISSION`
 */
export function openTarget({ pid, startTime }: SharingTarget): { pagemap: Pagemap; startTime: string } {
  const pagemap = new Pagemap(pid);
  try {
    return { pagemap, startTime: startTimeOf(pid, startTime) };
  } catch (error) {
    pagemap.close();
    throw error;
  }
}

/** When the process started, which must be as expected. */
export function startTimeOf(pid: number, expected: string | undefined): string {
  const { startTime, state } = readStat(pid);
  if (!isEndedState(state) && (expected ?? startTime) === startTime) return startTime;
  throw new PagepulseError('NO_PROCESS', `process ${pid} has ended; run \`ps -e\` to list processes`);
}
