import { BUDGETS, BudgetTable } from '../../../bench/budget.js';
import type { Guest } from '../machine/guest.js';
import { scoreFound } from '../score/score.js';
import { phasesOf } from '../score/truth.js';

const WORKLOADS = [
  { count: 1, command: 'hotcold 256 100 32' },
  { count: 20, command: 'hotcold 32 12 4' },
];
/** Until V8 has compiled everything, which the emulator makes slow, and the controller has followed. */
const SETTLE_US = 60e6;
const SECONDS = 180;

/** What a budget is kept to, and how much is seen with it: the last two of three minutes. */
export async function budget(guest: Guest): Promise<void> {
  const table = new BudgetTable(SETTLE_US);
  for (const { count, command } of WORKLOADS) {
    const start = Array<string>(count).fill(command);
    for (const maxCpuPercent of BUDGETS) {
      const seen = await guest.observe({
        start,
        options: { maxCpuPercent },
        seconds: SECONDS,
        isQuiet: true,
      });
      const scores = seen.snapshots.map((its, i) => scoreFound(its, phasesOf(seen.truths[i]!), 0, SETTLE_US));
      table.add(String(count), maxCpuPercent, seen.points, scores);
    }
    table.chart(`${count} x ${command}`, 'one emulated processor');
  }
  console.log(String(table));
}
