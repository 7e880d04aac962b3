import { PagepulseError } from '../core/errors.js';
import { Monitor } from '../engine/monitor.js';
import type { MonitorOptions } from '../engine/options.js';
import { otherWatcherText } from '../report/status-text.js';
import { CHECKS, chooseCheck } from '../sources/registry.js';
import { ChildCommand } from './child-command.js';
import { ExitStatus, note } from './failure.js';
import { type Aim, whyNothing } from './nothing-seen.js';
import { monitorOptions, type WatchOptions } from './options.js';
import { isReaderGone, onOutputFailure, requireOutput } from './output.js';
import { tellSkips, waitingNotes } from './selection-notes.js';
import { selectionOf } from './selection-options.js';
import type { Stopping } from './signals.js';

export const RECLAIM_NOTE =
  'the referenced check clears the accessed bits that the kernel goes by when memory gets short: under memory ' +
  'pressure it may take pages of the watched processes that are in use';

/** A monitor on what the command line asked for, and the command that was started for it. */
export interface Watching {
  readonly monitor: Monitor;
  readonly child: ChildCommand | undefined;
}

/** What a command makes of a monitor. */
export interface WatchPlan {
  readonly options: WatchOptions;
  readonly command: readonly string[];
  readonly stopping: Stopping;
  /** What to do with remarks that come while it runs; by default they are noted at once. */
  readonly tell?: (text: string) => void;
  readonly aim?: Aim;
}

/**
 * Starts the command, if there is one, and a monitor on it and on the processes given; lets `show` read its snapshots, and
 * says in the end why nothing was seen. A command is ended by whoever ends the watching by hand; it is left running if
 * the duration is over, or if something fails.
 *
 * @param show resolves to whether anything was seen
 * @throws PagepulseError, or ExitStatus: the command's status, or 1 if nothing was seen
 */
export async function watching(
  plan: WatchPlan,
  show: (watching: Watching) => Promise<boolean>,
): Promise<void> {
  const { options, command, stopping, aim = {} } = plan;
  const { monitor, child } = await startWatching(options, command, plan.tell ?? noteOnItsOwnLine);
  stopping.with((signal) => {
    void monitor.stop();
    child?.signal(signal);
  });
  onOutputFailure((error) => (isReaderGone(error) ? stopping.quit() : void monitor.stop()));
  let isSeen: boolean;
  try {
    isSeen = (await show({ monitor, child })) || stopping.isQuit;
    requireOutput();
  } catch (error) {
    await monitor.stop().catch(() => {});
    if (isReaderGone(error)) stopping.quit();
    if (stopping.isAsked) await child?.ended();
    else child?.leave();
    throw error;
  }
  const end = await monitor.ended;
  if (!isSeen) note(whyNothing({ monitor, end, options, child, aim }));
  const isOver = end.reason !== 'targets ended' && !stopping.isAsked;
  if (child && (child.hasEnded || !isOver)) throw new ExitStatus(await child.ended());
  child?.leave();
  if (!isSeen) throw new ExitStatus(1);
}

/**
 * @param tell what to do with remarks that come while it runs
 * @throws PagepulseError; a command that was started is ended then
 */
async function startWatching(
  options: WatchOptions,
  command: readonly string[],
  tell: (text: string) => void,
): Promise<Watching> {
  const check = chooseCheck(options.check);
  const child = command.length > 0 ? await ChildCommand.start(command) : undefined;
  try {
    const monitor = await Monitor.start(monitorOptions(options, check, selectedBy(options, child)));
    if (CHECKS[check].disturbsReclaim) note(RECLAIM_NOTE);
    tellSkips(monitor, options, tell);
    monitor.on('otherWatcher', (other) => tell(otherWatcherText(other)));
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
