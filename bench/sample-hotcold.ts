import { Workload } from '../test/lab/agent/workload.js';
import { type SampleCost, sampleCost } from './sample-cost.js';

/** What a sample of `hotcold 256 100 32` costs: its mapping in as many regions, so many ticks, in so many rounds. */
export async function sampleHotCold(
  hotcold: string,
  floor: string,
  { rounds, ...sampling }: { regions: number; ticks: number; sleepUs: number; rounds: number },
): Promise<SampleCost[]> {
  const workload = await Workload.start(`${hotcold} 256 100 32`);
  try {
    const { ranges } = workload.lines[0] as { ranges: { start: string; end: string }[] };
    const page = (address: string) => Number.parseInt(address, 16) / 4_096;
    const startPage = page(ranges[0]!.start);
    const pages = page(ranges.at(-1)!.end) - startPage;
    return sampleCost({ pid: workload.pids[0]!, startPage, pages, ...sampling }, floor, rounds);
  } finally {
    await workload.end();
  }
}
