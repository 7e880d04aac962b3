import type { MonitorOptions } from '../engine/options.js';
import { formatSelection } from '../report/status-text.js';
import { type ChildCommand, CommandEnded, CommandNotStarted } from '../session/child-command.js';
import { Session, type SessionEvent } from '../session/session.js';
import { type Aim, eventNotes, RECLAIM_NOTE, waitingNotes, whyNothing } from './notes.js';
import { monitorOptions, requireTargets, selectionOf, type WatchOptions } from './options.js';
import { ExitStatus, isReaderGone, note, onOutputFailure, requireOutput } from './output.js';
import { Stopping } from './signals.js';

/** How a command watches. */
export interface Plan {
  readonly options: WatchOptions;
  readonly command: readonly string[];
  readonly stopping: Stopping;
  /** If standard output is a terminal, the command draws on it: notes wait until it is given back. */
  readonly draws?: boolean;
  /** The command reports by itself which processes could not be watched to the end. */
  readonly reportsFailures?: boolean;
  readonly aim?: Aim;
}

/**
 * Checks the command line, and listens for signals from now on, before anything is started that would be left behind.
 *
 * @throws UsageError, PagepulseError `ATTRS`
 */
export function planOf(options: WatchOptions, command: readonly string[], example: string): Plan {
  requireTargets(options, command, example);
  return { options, command, stopping: new Stopping() };
}

/** After this time, it is said that the command is being waited for. */
const PATIENCE_MS = 1_000;

/**
 * Starts a session for the command line and lets `show` read its events; explains in the end why nothing was seen. A
 * command that was started is ended by a user who stops the session. It keeps running if the duration is over, or if
 * something fails.
 *
 * @param show resolves to whether anything was seen; the session is stopped then
 * @throws PagepulseError; ExitStatus with the command's status, or 1 if nothing was seen
 */
export async function runSession(
  plan: Plan,
  show: (session: Session, events: AsyncIterable<SessionEvent>) => Promise<boolean>,
): Promise<void> {
  const { options, stopping, aim = {} } = plan;
  const session = await startSession(plan);
  const { monitor, child } = session;
  stopWith(stopping, session);
  let isSeen: boolean;
  try {
    isSeen = (await shown(session, plan, show)) || stopping.isQuit;
    requireOutput();
  } catch (error) {
    if (isReaderGone(error)) stopping.quit();
    if (stopping.isAsked) await statusOf(child);
    else leave(child);
    throw error;
  }
  const end = await session.ended;
  if (!isSeen) note(whyNothing({ monitor, end, options, child, aim }));
  else if (plan.draws && end.reason === 'targets ended') note('all watched processes have ended');
  const isLeft = end.reason !== 'targets ended' && !stopping.isAsked;
  if (child && (child.hasEnded || !isLeft)) throw new ExitStatus(await statusOf(child));
  leave(child);
  if (!isSeen) throw new ExitStatus(1);
}

/** Ends the session when the user asks for it, and when the reader of the output has gone. */
export function stopWith(stopping: Stopping, session: Session): void {
  stopping.with((signal) => void session.stop(signal));
  onOutputFailure((error) => (isReaderGone(error) ? stopping.quit() : void session.stop()));
}

async function startSession({ options, command }: Plan): Promise<Session> {
  try {
    const { range } = options;
    const session = await Session.start({
      monitor: { ...monitorOptions(options), ...targetsOf(options, command) },
      command,
      ranges: range,
    });
    const { monitor } = session;
    if (monitor.source.disturbsReclaim) note(RECLAIM_NOTE);
    for (const text of waitingNotes(monitor, options)) note(text);
    return session;
  } catch (error) {
    if (!(error instanceof CommandNotStarted || error instanceof CommandEnded)) throw error;
    note(error.message);
    // As a shell would.
    throw new ExitStatus(error instanceof CommandEnded ? error.status : error.isMissing ? 127 : 126);
  }
}

function targetsOf(
  options: WatchOptions,
  command: readonly string[],
): Pick<MonitorOptions, 'targets' | 'select'> {
  const { range, pid } = options;
  if (!range) return { select: selectionOf(options) };
  return command.length > 0 ? {} : { targets: [{ pid: pid![0]!, ranges: range }] };
}

async function shown(session: Session, plan: Plan, show: Parameters<typeof runSession>[1]): Promise<boolean> {
  const later: string[] = [];
  const tell = plan.draws && process.stdout.isTTY ? (text: string) => void later.push(text) : note;
  try {
    return await show(session, withNotes(session, plan, tell));
  } finally {
    await session.stop();
    for (const text of later) note(text);
    const { selection } = session.monitor;
    const text = selection && formatSelection(selection);
    if (text) note(text);
  }
}

async function* withNotes(
  session: Session,
  { options, reportsFailures }: Plan,
  tell: (text: string) => void,
): AsyncGenerator<SessionEvent> {
  const noteOf = eventNotes(options);
  for await (const event of session) {
    const text = reportsFailures && event.type === 'detached' ? undefined : noteOf(event);
    if (text) tell(text);
    yield event;
  }
}

/** The command's exit status. Says what is being waited for if that takes long. */
async function statusOf(child: ChildCommand | undefined): Promise<number> {
  if (!child) return 0;
  const timer = setTimeout(
    () => note(`waiting for the command to exit (PID ${child.pid}); Ctrl-C ends Pagepulse at once`),
    PATIENCE_MS,
  );
  try {
    return await child.status;
  } finally {
    clearTimeout(timer);
  }
}

/** Lets the program end before the command, as a background job of a shell. */
function leave(child: ChildCommand | undefined): void {
  if (!child || child.hasEnded) return;
  child.detach();
  note(`the command keeps running (PID ${child.pid}); end it with \`kill ${child.pid}\``);
}
