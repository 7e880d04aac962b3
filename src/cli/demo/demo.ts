import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { AddressRange } from '../../processes/process-request.js';
import { Session } from '../../session/session.js';
import { chooseCheck, SOURCES } from '../../sources/registry.js';
import { parseDuration } from '../options.js';
import { note, requireOutput } from '../output.js';
import { stopWith } from '../run-session.js';
import { Stopping } from '../signals.js';
import { showPicture } from '../watch.js';

const WORKLOAD = fileURLToPath(new URL('./workload.js', import.meta.url));

/** Fixed, so that the picture comes at once and is always the same. */
const QUICK = { sampleUs: 5_000, aggrUs: 100_000 };
const QUICK_DELIVERED = { aggrUs: 500_000 };

export function define(command: Command): void {
  command.option('-d, --duration <time>', 'stop after this time', parseDuration, 15e6).action(demo);
}

async function demo({ duration }: { duration: number }): Promise<void> {
  const check = chooseCheck('auto');
  const stopping = new Stopping();
  const workload = spawn(process.execPath, [WORKLOAD], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const session = await Session.start({
      monitor: {
        targets: [{ pid: workload.pid!, ranges: await ready(workload) }],
        check,
        attrs: SOURCES[check].delivers === 'regions' ? QUICK_DELIVERED : QUICK,
        costOf: 'process',
        durationUs: duration,
      },
    });
    stopWith(stopping, session);
    await showPicture(session, session, stopping.quit).finally(() => session.stop());
    requireOutput();
    note(
      'this was a process that keeps writing 64 MiB and never touches another 256 MiB, seen by the ' +
        `${check} check; watch your own with \`npx pagepulse watch --pid PID\``,
    );
  } finally {
    workload.kill('SIGKILL');
  }
}

async function ready(workload: ChildProcess): Promise<AddressRange[]> {
  const failed = once(workload, 'exit').then(() => {
    throw new Error('the demo workload did not start; it needs 400 MiB of free memory');
  });
  failed.catch(() => {}); // its end is expected once it is ready
  const [line] = await Promise.race([once(workload.stdout!, 'data'), failed]);
  return JSON.parse(String(line));
}
