import { cpus, release } from 'node:os';
import type { Bench } from 'tinybench';
import { supportOf } from '../src/checks/choose.js';
import { adaptationSuite } from './adaptation.js';
import { measure, type ProcessCost } from './process.js';
import { tickSuite } from './tick.js';

// `npm run bench`: the figures of the README. Medians, with the 25 % and 75 % ranks where there are many runs.

console.log(
  `${new Date().toISOString()}, Linux ${release()}, Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}\n`,
);

for (const suite of [adaptationSuite(), tickSuite()]) await show(suite);

const TIMES = { warmUpSeconds: 30, seconds: 60 };
/** What a tick computes is on the heap until V8 has compiled it, and fills the young generation once in some 100 s. */
const TICKS_ALONE = { ticksAlone: true, warmUpSeconds: 120, seconds: 60 };
console.log(
  `\nwhole processes, ${TIMES.seconds} s after a warm-up of ${TIMES.warmUpSeconds} s (ticks alone: 120 s):`,
);
const best = supportOf('idle-page').ok ? 'idle-page' : 'referenced';
showCost('two samplers at 5 ms, synthetic check', measure({ check: 'synthetic', targets: 2, ...TIMES }));
showCost('the same, ticks alone', measure({ check: 'synthetic', targets: 2, ...TICKS_ALONE }));
showCost('one sampler at 5 ms, synthetic check', measure({ check: 'synthetic', targets: 1, ...TIMES }));
showCost(`one target, ${best} check`, measure({ check: best, targets: 1, ...TIMES }));
showCost('the same, ticks alone', measure({ check: best, targets: 1, ...TICKS_ALONE }));

async function show(bench: Bench): Promise<void> {
  await bench.run();
  for (const { name, result } of bench.tasks) {
    if (result.state !== 'completed') throw new Error(`${name} did not complete`);
    const { latency } = result;
    const us = (ms: number | undefined) => `${((ms ?? Number.NaN) * 1_000).toFixed(1)} us`;
    console.log(
      `${name.padEnd(40)} median ${us(latency.p50)}  p75 ${us(latency.p75)}  p99 ${us(latency.p99)}`,
    );
  }
}

function showCost(name: string, cost: ProcessCost): void {
  const { cpuPercent, residentMib, minorGcs, majorGcs, mainGcs, ticks, overruns } = cost;
  console.log(
    `${name.padEnd(40)} ${cpuPercent.toFixed(1)} % of a core  ${residentMib.toFixed(0)} MiB resident  ` +
      `${ticks} ticks, ${overruns} missed  garbage collections: ${minorGcs} minor and ${majorGcs} major in coordinator ` +
      `and samplers, ${mainGcs} in the main thread`,
  );
}
