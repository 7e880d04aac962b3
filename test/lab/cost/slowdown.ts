import { markdown, spreadOf, spreadText } from '../../../bench/report.js';
import type { Guest } from '../machine/guest.js';
import type { Method } from '../machine/protocol.js';

const PAIRS = 5;
const SECONDS = 16;
const WORKLOAD = 'hotcold 256 100 32';

/** By how much fewer rounds a second the workload makes while it is watched than just before and just after. */
export async function slowdown(guest: Guest): Promise<void> {
  const methods: readonly Method[] = ['Pagepulse by default', 'DAMON'];
  const runs = new Map(methods.map((method) => [method, [] as number[]]));
  for (let i = 0; i < PAIRS; i++) {
    for (const method of methods) {
      const run = await guest.compare({ method, start: WORKLOAD, seconds: SECONDS });
      runs.get(method)!.push(100 * run.slowdown);
    }
  }
  const rows = methods.map((method) => {
    return [method, spreadText(spreadOf(runs.get(method)!), 1)];
  });
  console.log(`\`${WORKLOAD}\`, ${PAIRS} pairs of ${SECONDS} s\n`);
  console.log(markdown(['', 'slowdown in %: median (least - most)'], rows));
}
