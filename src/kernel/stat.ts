import { PagepulseError } from '../core/errors.js';
import { readMemoryHead } from './memory-file.js';
import { processError } from './process-errors.js';
import { isEndedState, StatFields } from './stat-fields.js';
import { LIMITS, readTextFile } from './text-file.js';

const fields = new StatFields();

/** PF_KTHREAD in the kernel's include/linux/sched.h: a thread of the kernel, without memory of its own. */
const PF_KTHREAD = 0x0020_0000;

/** What /proc/PID/stat tells that Pagepulse needs. */
export interface ProcessStat {
  /** At most 15 bytes; may hold spaces, brackets, anything. */
  readonly comm: string;
  /** R, S, D, T, Z (zombie), X (dead), ...; of another thread if the main thread has ended before it. */
  readonly state: string;
  /** 0 where it has none, or none that can be seen from this process namespace. */
  readonly parentPid: number;
  /** Clock ticks since boot, as decimal digits: with the pid, it names a process for good. */
  readonly startTime: string;
  readonly isKernelThread: boolean;
  /** Resident pages, as the kernel last summed them up (off by up to some tens of pages a thread). */
  readonly residentPages: number;
}

/**
 * Reads /proc/PID/stat: one line, fields separated by spaces, readable by everyone (proc(5)). The second field
 * is the name in brackets and may itself hold spaces and brackets, so counting starts at the last bracket.
 * Fields used: 3 state, 4 parent, 9 flags, 22 start time, 24 resident pages.
 *
 * @throws PagepulseError `NO_PROCESS`, `PERMISSION` (hidepid)
 */
export function readStat(pid: number): ProcessStat {
  let line: string;
  try {
    line = readTextFile(`/proc/${pid}/stat`, LIMITS.stat);
  } catch (error) {
    throw processError(error, pid, `read the state of process ${pid}`);
  }
  const stat = parseStat(line);
  // The main thread may have ended before others: the process lives on, and what its memory is, these say.
  if (!isEndedState(stat.state) || !fields.read(pid) || fields.hasEnded) return stat;
  const { state, residentPages } = fields;
  return { ...stat, state, residentPages };
}

export function parseStat(line: string): ProcessStat {
  const nameEnd = line.lastIndexOf(')');
  const fields = line.slice(nameEnd + 2).split(' '); // the first is field 3
  const field = (number: number) => fields[number - 3] ?? '';
  return {
    comm: line.slice(line.indexOf('(') + 1, nameEnd),
    state: field(3),
    parentPid: Number(field(4)),
    startTime: field(22),
    isKernelThread: (Number(field(9)) & PF_KTHREAD) !== 0,
    residentPages: Number(field(24)),
  };
}

/** The most words of a command line that are told apart: 64 KiB of words of one letter would take 10 times that memory. */
const MOST_WORDS = 4_096;
/** Ends a command line that goes on. */
const CUT = '\u2026';

/**
 * The words of /proc/PID/cmdline (each ends with a NUL); empty for kernel threads and zombies. A process that sets its
 * title (setproctitle) fills the rest of its arguments with NULs, which would be dozens of empty words: those at the end
 * are left out.
 *
 * A process says itself where its arguments lie (PR_SET_MM_MAP), and can so show all of its memory here. What goes on
 * after 64 KiB or 4,096 words is cut, and its last word ends with an ellipsis.
 *
 * @throws PagepulseError `NO_PROCESS`, `PERMISSION`
 */
export function readCmdline(pid: number): string[] {
  const text = readCommandLine(pid);
  if (text === '') return [];
  const words = text.split('\0', MOST_WORDS + 1);
  if (words.length <= MOST_WORDS) return words;
  words.length = MOST_WORDS;
  words[MOST_WORDS - 1] += CUT;
  return words;
}

/** The same in one text, as a pattern is matched with it: words separated by spaces. */
export function readTitle(pid: number): string {
  return readCommandLine(pid).replaceAll('\0', ' ');
}

/** Without the NULs at its end. */
function readCommandLine(pid: number): string {
  try {
    const { text, isCut } = readMemoryHead(pid, 'cmdline');
    let end = text.length;
    while (text[end - 1] === '\0') end--;
    return isCut && end > 0 ? text.slice(0, end) + CUT : text.slice(0, end);
  } catch (error) {
    throw processError(error, pid, `read the command line of process ${pid}`);
  }
}

/** Whether the process with this id and start time is still alive: not ended, not a zombie, not another one. One of its threads is enough. */
export function isAlive(pid: number, startTime: string): boolean {
  try {
    const stat = readStat(pid);
    return stat.startTime === startTime && !isEndedState(stat.state);
  } catch (error) {
    if (error instanceof PagepulseError && error.code === 'NO_PROCESS') return false;
    throw error;
  }
}

/**
 * The process as something that can be watched.
 *
 * @throws PagepulseError `NO_PROCESS`, `KERNEL_THREAD`, `ZOMBIE`, `PERMISSION`
 */
export function readWatchable(pid: number): ProcessStat {
  if (!Number.isSafeInteger(pid) || pid < 1 || pid > 0x7fff_ffff) {
    throw new PagepulseError('NO_PROCESS', `${pid} is no process id; give a whole number from 1 on`);
  }
  const stat = readStat(pid);
  if (stat.isKernelThread) {
    throw new PagepulseError(
      'KERNEL_THREAD',
      `process ${pid} (${stat.comm}) is a thread of the kernel and has no memory of its own; watch a user process`,
    );
  }
  if (isEndedState(stat.state)) {
    throw new PagepulseError(
      'ZOMBIE',
      `process ${pid} (${stat.comm}) has ended and only waits for its parent to notice (a zombie); ` +
        'its memory is gone already',
    );
  }
  return stat;
}
