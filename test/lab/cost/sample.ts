import type { SampleCost, Spread } from '../../../bench/sample-cost.js';
import { markdown } from '../../../bench/table.js';
import type { Guest } from '../machine/guest.js';

/** Microseconds of CPU a sample, beside the same system calls in C: 40 regions, a tick each 5 ms. */
export async function sample(guest: Guest): Promise<void> {
  const costs = JSON.parse(
    await guest.shell(
      'node $DIST/bench/sample-cost-main.js $(command -v hotcold) $(command -v floor) 40 400 4000 5',
      600,
    ),
  ) as SampleCost[];
  const spread = ({ median, min, max }: Spread) =>
    `${median.toFixed(2)} (${min.toFixed(2)} - ${max.toFixed(2)})`;
  const rows = costs.map(({ way, us, ofFloor }) => [way, spread(us), spread(ofFloor)]);
  console.log(markdown(['', 'us a sample: median (least - most)', 'of the floor'], rows));
}
