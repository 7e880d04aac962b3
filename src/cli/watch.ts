import type { Command } from 'commander';
import type { Monitor } from '../engine/monitor.js';
import { ExitStatus, note, tellLost } from './failure.js';
import { addWatchOptions, requireTargets, type WatchOptions } from './options.js';
import { Picture } from './picture.js';
import { tellSelection } from './selection-notes.js';
import { onStopSignal, startWatching } from './watching.js';

export function addWatch(program: Command): void {
  addWatchOptions(program.command('watch'))
    .description('show which memory processes use, live')
    .addHelpText('after', '\nExamples:\n  pagepulse watch --pid 4242\n  pagepulse watch -- node server.js')
    .action(watch);
}

async function watch(command: readonly string[], options: WatchOptions): Promise<void> {
  requireTargets(options, command, 'pagepulse watch --pid 4242');
  const stopWith = onStopSignal();
  // On a terminal the picture has it to itself.
  const later: string[] = [];
  const tell = process.stdout.isTTY ? (text: string) => void later.push(text) : note;
  const { monitor, child } = await startWatching(options, command, tell);
  stopWith((signal) => {
    void monitor.stop();
    child?.signal(signal);
  });
  try {
    await show(monitor, () => child?.signal('SIGTERM'));
  } catch (error) {
    // That nothing was seen is told; the status is the command's.
    if (!child || !(error instanceof ExitStatus)) throw error;
  } finally {
    for (const text of later) note(text);
  }
  if (child) throw new ExitStatus(await child.ended());
}

/**
 * Shows a monitor's picture until it ends.
 *
 * @param onQuit called when the user has had enough
 */
export async function show(monitor: Monitor, onQuit: () => void = () => {}): Promise<void> {
  const picture = new Picture(() => {
    onQuit();
    void monitor.stop();
  }, monitor.attrs.aggrUs);
  const lost: string[] = [];
  monitor.on('detached', (target, reason, message) => {
    picture.end(target.id);
    if (reason === 'failed') lost.push(tellLost(target, message));
  });
  try {
    for await (const snapshot of monitor) picture.add(snapshot);
    picture.finish();
  } finally {
    picture.close();
    await monitor.stop().catch(() => {});
    // Not before: the picture has the terminal to itself.
    for (const text of lost) note(text);
    tellSelection(monitor);
  }
  const { reason, stats } = await monitor.ended;
  if (reason === 'targets ended') {
    note(stats.snapshots > 0 ? 'what was watched has ended' : 'the process ended before the first snapshot');
    if (stats.snapshots === 0) throw new ExitStatus(1);
  }
}
