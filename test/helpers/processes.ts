import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import type { AddressRange } from '../../src/processes/process-request.js';

/** Starts a process that ends with the test, whatever becomes of it. */
export function start(
  t: ExecutionContext,
  file: string,
  args: readonly string[] = [],
): ChildProcess & { pid: number } {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  return child as ChildProcess & { pid: number };
}

const WORKLOAD = fileURLToPath(new URL('../../src/cli/demo/workload.js', import.meta.url));

/** The workload of the demonstration: 64 MiB written all the time, 256 MiB never, a mapping each. */
export async function startHotCold(
  t: ExecutionContext,
): Promise<{ pid: number; hot: AddressRange; cold: AddressRange }> {
  const child = start(t, process.execPath, [WORKLOAD]);
  const [line] = await once(child.stdout!, 'data');
  const [a, b] = JSON.parse(String(line)) as [AddressRange, AddressRange];
  const [hot, cold] = a.endAddress - a.startAddress < 100 * 2 ** 20 ? [a, b] : [b, a];
  return { pid: child.pid, hot, cold };
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** PIDs of the processes with this command line. */
export function findProcesses(cmdline: string): number[] {
  const { stdout } = spawnSync('pgrep', ['-fx', cmdline], { encoding: 'utf8' });
  return stdout.split('\n').filter(Boolean).map(Number);
}
