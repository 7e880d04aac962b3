import type { Snapshot } from '../../core/snapshot.js';
import type { TargetInfo } from '../../core/target.js';

/** What the table shows of a process or of a group of them. Undefined is what is not known (yet). */
export interface Figures {
  readonly residentBytes: number | undefined;
  /** Accessed in the last aggregation interval; undefined also where samples hardly ever meet memory. */
  readonly workingSetBytes: number | undefined;
  /** In regions that were found accessed in at least half of its samples. */
  readonly hotBytes: number | undefined;
  /** Not accessed for 5 minutes or more, at most what is resident; undefined until it has been watched for so long. */
  readonly coldBytes: number | undefined;
  /** Resident bytes that the check cannot see: neither accessed nor cold. */
  readonly unseenBytes: number | undefined;
  /** Resident bytes that other watched processes have too. */
  readonly sharedBytes: number | undefined;
  /** Its part of what watching costs, in percent of one core. */
  readonly costPercent: number | undefined;
  /** The working set in bytes after each of the last snapshots, the latest last; null where nothing is known. */
  readonly trend: readonly (number | null)[];
}

/** One process. */
export interface ProcessRow extends Figures {
  readonly kind: 'process';
  /** Of its row, for as long as it is watched. */
  readonly key: string;
  readonly target: TargetInfo;
  /** The monitor's number for it. */
  readonly id: number;
  readonly pid: number;
  readonly startTime: string;
  /** As the kernel has it: may hold control characters. */
  readonly name: string;
  readonly cmdline: readonly string[];
  readonly parentPid: number | undefined;
  /** Undefined where it was not read. */
  readonly cgroup: string | undefined;
  /** The latest one; undefined before the first. */
  readonly snapshot: Snapshot | undefined;
  /** Why nothing is known but what is resident, if that is so. */
  readonly unknown: string | undefined;
  /** Not watched any longer; it leaves the table after a few seconds. */
  readonly hasEnded: boolean;
  /** Shown below the group that it belongs to. */
  readonly isMember: boolean;
}

/** Processes that have something in common, with the sums of their figures. */
export interface GroupRow extends Figures {
  readonly kind: 'group';
  readonly key: string;
  readonly name: string;
  readonly members: readonly ProcessRow[];
  readonly isExpanded: boolean;
}

export type TopRow = ProcessRow | GroupRow;

/** Whether there is no snapshot yet, of any process of it. */
export function isPending(row: TopRow): boolean {
  return row.kind === 'process' ? row.snapshot === undefined : row.members.every(isPending);
}

/** Working set / resident, at most 1: the one is read a moment after the other. Undefined where either is not known. */
export function shareOf({ workingSetBytes, residentBytes }: Figures): number | undefined {
  if (workingSetBytes === undefined || !residentBytes) return undefined;
  return Math.min(1, workingSetBytes / residentBytes);
}
