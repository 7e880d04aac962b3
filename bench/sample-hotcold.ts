import { pageSize } from '../src/kernel/page-size.js';
import { Workload } from '../test/lab/agent/workload.js';
import { phasesOf } from '../test/lab/score/truth.js';
import { type SampleCost, sampleCost } from './sample-cost.js';

/** What a sample of `hotcold 256 100 32` costs: its mapping in as many regions, so many ticks, in so many rounds. */
export async function sampleHotCold(
  hotcold: string,
  floor: string,
  { rounds, ...sampling }: { regions: number; ticks: number; sleepUs: number; rounds: number },
): Promise<SampleCost[]> {
  const workload = await Workload.start(`${hotcold} 256 100 32`);
  try {
    const { ranges } = phasesOf(workload.lines)[0]!;
    const startPage = ranges[0]!.start / pageSize();
    const pages = ranges.at(-1)!.end / pageSize() - startPage;
    return sampleCost({ pid: workload.pids[0]!, startPage, pages, ...sampling }, floor, rounds);
  } finally {
    await workload.end();
  }
}
