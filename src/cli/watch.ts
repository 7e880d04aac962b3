import type { Command } from 'commander';
import type { Monitor } from '../engine/monitor.js';
import { note, tellLost } from './failure.js';
import { addWatchOptions, requireTargets, type WatchOptions } from './options.js';
import { Picture } from './picture.js';
import { tellSelection } from './selection-notes.js';
import { Stopping } from './signals.js';
import { watching } from './watching.js';

export function addWatch(program: Command): void {
  addWatchOptions(program.command('watch'))
    .description('show which memory processes use, live')
    .addHelpText('after', '\nExamples:\n  pagepulse watch --pid 4242\n  pagepulse watch -- node server.js')
    .action(watch);
}

async function watch(command: readonly string[], options: WatchOptions): Promise<void> {
  requireTargets(options, command, 'pagepulse watch --pid 4242');
  const stopping = new Stopping();
  // On a terminal the picture has it to itself.
  const later: string[] = [];
  const tell = process.stdout.isTTY ? (text: string) => void later.push(text) : note;
  await watching({ options, command, stopping, tell }, async ({ monitor }) => {
    try {
      return await show(monitor, stopping.quit);
    } finally {
      for (const text of later) note(text);
    }
  });
}

/**
 * Shows a monitor's picture until it ends.
 *
 * @param onQuit called when the user has had enough: it has to stop the monitor
 * @returns whether anything was seen
 */
export async function show(monitor: Monitor, onQuit: () => void): Promise<boolean> {
  const picture = new Picture(monitor, onQuit);
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
  if (stats.snapshots === 0) return false;
  if (reason === 'targets ended') note('what was watched has ended');
  return true;
}
