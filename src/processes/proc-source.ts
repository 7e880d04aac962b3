import { environHolds, readTitle } from '../kernel/arguments.js';
import { readCgroupText } from '../kernel/cgroup.js';
import { listPids, readForkCount } from '../kernel/proc.js';
import { StatFields } from '../kernel/stat.js';
import { readEffectiveUid } from '../kernel/status.js';

/** What /proc tells of processes. Whatever has ended meanwhile reads as empty. */
export interface ProcessSource {
  /** Of this process. */
  readonly ownPid: number;
  pids(): readonly number[];
  /** The next calls are about this process; false where it is gone. */
  read(pid: number): boolean;
  /** Of the process that was read last. */
  readonly fields: ProcessFields;
  cmdline(pid: number): string;
  uid(pid: number): number | undefined;
  cgroup(pid: number): string;
  /** Undefined where it cannot be told yet. */
  environHolds(pid: number, mark: string): boolean | undefined;
  /** Of the whole machine since boot, processes and threads; NaN where nobody knows. */
  forks(): number;
}

export interface ProcessFields {
  readonly ppid: number;
  readonly threads: number;
  readonly startTime: number;
  readonly isKernelThread: boolean;
  readonly hasEnded: boolean;
  /** Another one after an exec. */
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
    cmdline: (pid) => orEmpty(() => readTitle(pid)),
    uid: readEffectiveUid,
    cgroup: (pid) => orEmpty(() => readCgroupText(pid)),
    environHolds,
    forks: readForkCount,
  };
}

/** Of what has ended, or may not be seen. */
function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
