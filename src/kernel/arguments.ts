import { readMemoryHead, readMemoryPieces } from './memory-file.js';
import { processError } from './process-errors.js';

/** Ends each word of a command line, and each variable. */
const NUL = 0;
/** The most words of a command line that are told apart: 64 KiB of words of one letter would take 10 times that memory. */
const MOST_WORDS = 4_096;
/** Ends a command line that was cut. */
const CUT = '\u2026';

/**
 * The words of /proc/PID/cmdline (proc(5); each ends with a NUL); empty for kernel threads and zombies. A process that
 * sets its title (setproctitle) fills the rest of its arguments with NULs, which would be dozens of empty words: those at
 * the end are left out.
 *
 * Surprise: a process can set where its arguments lie (PR_SET_MM_MAP), and so show all of its memory here. The text is cut
 * after 64 KiB or 4,096 words, and the last word then ends with an ellipsis.
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

/** The same as one text, which patterns are matched with: words separated by spaces. */
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

/**
 * Whether a text is in the environment that a process was started with: /proc/PID/environ (proc(5)), readable with
 * ptrace access. A fork has that of its parent; later changes do not show. Programs that write their title over it
 * (postgres, nginx) lose it.
 *
 * @returns undefined if there is no environment yet (in the middle of an exec the file is empty); false also if it may not
 *   be read, the process has ended, or it is not within the first MiB
 */
export function environHolds(pid: number, wanted: string): boolean | undefined {
  try {
    let isEmpty = true;
    for (const variables of readMemoryPieces(pid, 'environ', NUL)) {
      if (variables.includes(wanted)) return true;
      isEmpty = false;
    }
    return isEmpty ? undefined : false;
  } catch {
    return false;
  }
}
