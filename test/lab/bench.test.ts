import test from 'ava';
import type { BenchResult } from '../../src/cli/bench/result.js';
import { Guest } from './machine/guest.js';

// What `pagepulse bench` finds to measure where there is an idle bitmap. Of figures, only those that differ severalfold
// are compared: in the emulator all are some tens of times too large.

const guest = Guest.shared();

test.serial(
  'bench: a sample is split into resolve, mark and read, and marked neighbours make it dear',
  async (t) => {
    const script = `
    hotcold 128 32 32 >/out/hotcold.truth & pid=$!
    pagepulse bench --pid $pid --time 30s --json >/out/bench.json
    kill $pid`;
    await guest.shell(script, 90);
    const { check, sampling } = JSON.parse(guest.read('bench.json')) as BenchResult;
    t.is(check, 'idle-page');
    const [costs] = sampling;
    t.like(costs, { check: 'idle-page', per: 'sample', isWhole: true });
    for (const { memory, cpuUs, totalCpuUs } of costs!.memories) {
      t.deepEqual(Object.keys(cpuUs), ['resolve', 'mark', 'read'], memory);
      t.log(`${memory}: ${totalCpuUs.toFixed(1)} us`);
    }
    const readUs = (memory: string) => {
      return costs!.memories.find((costOf) => costOf.memory === memory)!.cpuUs.read!.median;
    };
    t.true(readUs('the same, all neighbours marked') > 1.5 * readUs('long-cold pages'));
  },
);
