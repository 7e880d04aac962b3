import { environHolds, readTitle } from '../kernel/arguments.js';
import { readCgroupText } from '../kernel/cgroup.js';
import { listPids, readForkCount } from '../kernel/proc.js';
import { StatFields } from '../kernel/stat.js';
import { readEffectiveUid } from '../kernel/status.js';
import { attempt } from '../kernel/text-file.js';

/** What /proc shows of processes; a process that has ended reads as empty. */
export interface ProcessSource {
  /** Of this process. */
  readonly ownPid: number;
  pids(): readonly number[];
  /** The next calls are about this process; false if it is gone. */
  read(pid: number): boolean;
  /** Of the process that was read last. */
  readonly fields: ProcessFields;
  cmdline(pid: number): string;
  uid(pid: number): number | undefined;
  cgroup(pid: number): string;
  /** Undefined if it is not known yet. */
  environHolds(pid: number, mark: string): boolean | undefined;
  /** Of the whole machine since boot, processes and threads; NaN if unknown. */
  forks(): number;
}

/** Stands for itself: the types of the package have none of src/kernel. */
export interface ProcessFields {
  readonly ppid: number;
  readonly threads: number;
  readonly startTime: number;
  readonly isKernelThread: boolean;
  readonly hasEnded: boolean;
  /** Changes with an exec. */
  readonly imageKey: number;
  comm(): string;
}

/** The processes of this machine, as /proc shows them. */
export function kernelProcesses(): ProcessSource {
  const fields = new StatFields();
  return {
    ownPid: process.pid,
    pids: listPids,
    read: (pid) => fields.read(pid),
    fields,
    cmdline: (pid) => attempt(() => readTitle(pid)) ?? '',
    uid: readEffectiveUid,
    cgroup: (pid) => attempt(() => readCgroupText(pid)) ?? '',
    environHolds,
    forks: readForkCount,
  };
}
