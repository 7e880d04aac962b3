import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { Monitor } from '../../engine/monitor.js';
import type { AddressRange } from '../../processes/process-request.js';
import { parseDurationUs } from '../../report/units.js';
import { CHECKS, chooseCheck } from '../../sources/registry.js';
import { note } from '../failure.js';
import { onOutputFailure, requireOutput } from '../output.js';
import { Stopping } from '../signals.js';
import { show } from '../watch.js';

const WORKLOAD = fileURLToPath(new URL('./workload.js', import.meta.url));

/** Kept, so that the picture comes at once, and is the same every time. */
const QUICK = { sampleUs: 5_000, aggrUs: 100_000 };
const QUICK_DELIVERED = { aggrUs: 500_000 };

export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('watch a small workload of its own, with 64 MiB of hot and 256 MiB of cold memory')
    .option('-d, --duration <time>', 'end after this time', parseDurationUs, 15e6)
    .action(demo);
}

async function demo({ duration }: { duration: number }): Promise<void> {
  const check = chooseCheck('auto');
  const stopping = new Stopping();
  const workload = spawn(process.execPath, [WORKLOAD], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const ranges = await ready(workload);
    const monitor = await Monitor.start({
      targets: [{ pid: workload.pid!, ranges }],
      check,
      attrs: CHECKS[check].delivers === 'regions' ? QUICK_DELIVERED : QUICK,
      costOf: 'process',
      durationUs: duration,
    });
    stopping.with(() => void monitor.stop());
    onOutputFailure(stopping.quit);
    await show(monitor, stopping.quit);
    requireOutput();
    note(
      `that was a process that writes 64 MiB all the time and never touches another 256 MiB, seen by the ${check} ` +
        'check; watch your own with `npx pagepulse watch --pid PID`',
    );
  } finally {
    workload.kill('SIGKILL');
  }
}

async function ready(workload: ChildProcess): Promise<AddressRange[]> {
  const failed = once(workload, 'exit').then(() => {
    throw new Error('the workload of the demonstration did not start; 400 MiB of memory must be free');
  });
  failed.catch(() => {}); // once it is ready, its end is no failure
  const [line] = await Promise.race([once(workload.stdout!, 'data'), failed]);
  return JSON.parse(String(line));
}
