import { markdown } from '../../../bench/report.js';
import { SAMPLE_COST_HEAD, sampleCostRows } from '../../../bench/sample-cost.js';
import type { Guest } from '../machine/guest.js';

/** Microseconds of CPU a sample, beside the same system calls in C. */
export async function sample(guest: Guest): Promise<void> {
  console.log(markdown(SAMPLE_COST_HEAD, sampleCostRows(await guest.sampleCost())));
}
