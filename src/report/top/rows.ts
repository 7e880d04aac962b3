import type { Snapshot } from '../../core/snapshot.js';
import type { TargetInfo } from '../../core/target.js';
import { accessedPagesOf, coldPagesOf } from '../../core/working-set.js';

/** The figures of a process or a group. Undefined is not known (yet). */
export interface Figures {
  readonly residentBytes: number | undefined;
  /** Accessed in the last aggregation interval; undefined also if samples hardly ever meet memory. */
  readonly workingSetBytes: number | undefined;
  /** In regions that at least half of the samples found accessed. */
  readonly hotBytes: number | undefined;
  /** Resident, and not accessed for 5 minutes or more; undefined until it has been watched for that long. */
  readonly coldBytes: number | undefined;
  /** Resident bytes that the check cannot see: neither accessed nor cold. */
  readonly unseenBytes: number | undefined;
  /** Resident bytes that other watched processes have too. */
  readonly sharedBytes: number | undefined;
  /** Its part of the cost of watching, in percent of one core. */
  readonly costPercent: number | undefined;
  /** The working set in bytes after each of the last snapshots, the latest last; null if not known. */
  readonly trend: readonly (number | null)[];
}

/** One process. */
export interface ProcessRow extends Figures {
  readonly kind: 'process';
  /** Identifies its row for as long as it is watched. */
  readonly key: string;
  readonly target: TargetInfo;
  /** Of the target. */
  readonly id: number;
  readonly pid: number;
  readonly startTime: string;
  /** As the kernel has it: may hold control characters. */
  readonly name: string;
  readonly cmdline: readonly string[];
  readonly parentPid: number | undefined;
  /** Undefined if it was not read. */
  readonly cgroup: string | undefined;
  /** The latest one; undefined before the first. */
  readonly snapshot: Snapshot | undefined;
  /** Why only its resident memory is known, if that is so. */
  readonly unknown: string | undefined;
  /** Not watched any longer; its row disappears after a few seconds. */
  readonly hasEnded: boolean;
  /** Shown below its group. */
  readonly isMember: boolean;
}

/** Processes with something in common, and the sums of their figures. */
export interface GroupRow extends Figures {
  readonly kind: 'group';
  readonly key: string;
  readonly name: string;
  readonly members: readonly ProcessRow[];
  readonly isExpanded: boolean;
}

export type TopRow = ProcessRow | GroupRow;

/** Whether no process of it has a snapshot yet. */
export function isPending(row: TopRow): boolean {
  return row.kind === 'process' ? row.snapshot === undefined : row.members.every(isPending);
}

/** Working set / resident, at most 1, as they are read at different moments. Undefined if either is not known. */
export function shareOf({ workingSetBytes, residentBytes }: Figures): number | undefined {
  if (workingSetBytes === undefined || !residentBytes) return undefined;
  return Math.min(1, workingSetBytes / residentBytes);
}

/** Memory that was not accessed for this long is cold. */
export const COLD_US = 300e6;
/** Regions that at least this share of the samples found accessed are hot. */
const HOT_SHARE = 0.5;

/** What a snapshot says of a process in a few numbers; of resident memory, if the snapshot tells that. */
export interface Measures {
  /** In regions that were accessed at all in the last aggregation interval. */
  readonly workingSetBytes: number;
  /** In regions that at least half of the samples found accessed; undefined with one look per interval. */
  readonly hotBytes: number | undefined;
  /** In regions that were not accessed for 5 minutes or more. */
  readonly coldBytes: number;
  /** Resident, but invisible to the check; undefined if that is not known. */
  readonly unseenBytes: number | undefined;
}

/** One pass over the regions, some nanoseconds each, once per snapshot. */
export function measure(snapshot: Snapshot): Measures {
  const { columns, maxNrAccesses, pageSize, stats } = snapshot;
  const { startPages, nrAccesses, ages, accessedPages, unseenPages } = columns;
  const hotFrom = maxNrAccesses * HOT_SHARE;
  const coldFrom = COLD_US / stats.inForce.attrs.aggrUs;
  let hotPages = 0;
  let coldPages = 0;
  for (let i = 0; i < startPages.length; i++) {
    const count = nrAccesses[i]!;
    if (count > 0 && count >= hotFrom) hotPages += accessedPagesOf(columns, i);
    if (count === 0 && ages[i]! >= coldFrom) coldPages += coldPagesOf(columns, i);
  }
  const workingSetBytes = snapshot.workingSetBytes();
  return {
    workingSetBytes,
    hotBytes: accessedPages ? undefined : Math.min(workingSetBytes, Math.round(hotPages * pageSize)),
    coldBytes: Math.round(coldPages * pageSize),
    unseenBytes: unseenPages ? snapshot.unseenBytes() : undefined,
  };
}

/** Undefined if none is known. */
export function sumOfKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}
