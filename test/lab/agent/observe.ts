import { observe } from '../../../bench/observe.js';
import type { ObservedWorkloads, ObserveRequest } from '../machine/protocol.js';
import { lineOf } from '../score/snapshot-line.js';
import { Workload } from './workload.js';

/** A monitor of its own for these workloads, from its start to its end. */
export async function observeWorkloads(request: ObserveRequest): Promise<ObservedWorkloads> {
  const { start, options, seconds, native = true, isQuiet } = request;
  const workloads: Workload[] = [];
  try {
    for (const command of start) workloads.push(await Workload.start(command));
    const targets = workloads.flatMap(({ pids }) => pids.map((pid) => ({ pid })));
    // The threads of a monitor load their modules anew, with the environment that there is then.
    if (!native) process.env.PAGEPULSE_NATIVE = '0';
    const { points, steps, startMs, startedUs, ...seen } = await observe(
      { ...options, targets, check: 'idle-page' },
      seconds,
      isQuiet,
    );
    const snapshots = seen.snapshots.map((its) => its.map((snapshot) => lineOf(snapshot, startedUs)));
    return { truths: workloads.map(({ lines }) => lines), snapshots, points, steps, startMs };
  } finally {
    delete process.env.PAGEPULSE_NATIVE;
    for (const workload of workloads) await workload.end();
  }
}
