import { CHECKS, chooseCheck } from '../checks/choose.js';
import { PagepulseError } from '../core/errors.js';
import { Monitor } from '../engine/monitor.js';
import type { MonitorOptions } from '../engine/options.js';
import { ChildCommand } from './child-command.js';
import { ExitStatus, note } from './failure.js';
import { monitorOptions, type WatchOptions } from './options.js';
import { tellSkips, waitingNotes } from './selection-notes.js';
import { selectionOf } from './selection-options.js';

export const RECLAIM_NOTE =
  'the referenced check clears the accessed bits that the kernel goes by when memory gets short: under memory ' +
  'pressure it may take pages of the watched processes that are in use';

/** A monitor on what the command line asked for, and the command that was started for it. */
export interface Watching {
  readonly monitor: Monitor;
  readonly child: ChildCommand | undefined;
}

/**
 * Starts the command, if there is one, and a monitor on it and on the processes given.
 *
 * @param tell what to do with remarks that come while it runs
 * @throws PagepulseError; a command that was started is ended then
 */
export async function startWatching(
  options: WatchOptions,
  command: readonly string[],
  tell: (text: string) => void = noteOnItsOwnLine,
): Promise<Watching> {
  const check = chooseCheck(options.check);
  const child = command.length > 0 ? await ChildCommand.start(command) : undefined;
  try {
    const monitor = await Monitor.start(monitorOptions(options, check, selectedBy(options, child)));
    if (CHECKS[check].disturbsReclaim) note(RECLAIM_NOTE);
    tellSkips(monitor, options, tell);
    for (const text of waitingNotes(monitor, options)) note(text);
    return { monitor, child };
  } catch (error) {
    child?.signal('SIGTERM');
    if (child && error instanceof PagepulseError && ['NO_PROCESS', 'ZOMBIE'].includes(error.code)) {
      note('the command ended before it could be watched; nothing was seen');
      throw new ExitStatus(await child.ended());
    }
    throw error;
  }
}

/** A status line that is in the way is written again soon. */
function noteOnItsOwnLine(text: string): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  note(text);
}

/** Given addresses are those of one process: what it starts has others. */
function selectedBy(
  options: WatchOptions,
  child: ChildCommand | undefined,
): Pick<MonitorOptions, 'targets' | 'select'> {
  const { range, pid } = options;
  if (range) return { targets: [{ pid: child?.pid ?? pid![0]!, ranges: range }] };
  return { select: selectionOf(options, child ? [child] : []) };
}

type Stop = (signal: 'SIGINT' | 'SIGTERM') => void;

/**
 * Listens for the first SIGINT, SIGTERM or SIGHUP from now on; later ones end the program as they usually do. To be called
 * before anything is started that would be left behind.
 *
 * @returns takes what stops it all, once there is something; a signal that came before is passed on then
 */
export function onStopSignal(): (stop: Stop) => void {
  let early: Parameters<Stop>[0] | undefined;
  let act: Stop = (signal) => {
    early = signal;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => act(signal === 'SIGHUP' ? 'SIGTERM' : signal));
  }
  return (stop) => {
    act = stop;
    if (early) stop(early);
  };
}
