import { cpus, release } from 'node:os';
import type { Bench } from 'tinybench';
import { adaptationSuite } from './adaptation.js';
import { measure, type ProcessCost } from './process.js';
import { tickSuite } from './tick.js';

// `npm run bench`: the figures of the README. Medians, with the 25 % and 75 % ranks where there are many runs.

console.log(
  `${new Date().toISOString()}, Linux ${release()}, Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}\n`,
);

for (const suite of [adaptationSuite(), tickSuite()]) await show(suite);

const SECONDS = 60;
console.log(`\nwhole processes, ${SECONDS} s after a warm-up of 30 s:`);
showCost('two samplers at 5 ms, synthetic check', measure('synthetic', 2, SECONDS));
showCost('the same, ticks alone', measure('ticks', 2, SECONDS));
showCost('one sampler at 5 ms, synthetic check', measure('synthetic', 1, SECONDS));
showCost('one target, referenced check', measure('referenced', 1, SECONDS));

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
  const { cpuPercent, residentMib, minorGcs, majorGcs, ticks, overruns } = cost;
  console.log(
    `${name.padEnd(40)} ${cpuPercent.toFixed(1)} % of a core  ${residentMib.toFixed(0)} MiB resident  ` +
      `${minorGcs} minor and ${majorGcs} major garbage collections  ${ticks} ticks, ${overruns} missed`,
  );
}
