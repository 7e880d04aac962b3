import { closeSync, openSync, writeSync } from 'node:fs';
import { NO_BITMAP } from '../src/cli/bench/check-cost.js';
import { DEFAULT_ATTRS } from '../src/core/attrs.js';
import { count, prepare } from '../src/core/cycle.js';
import { RandomStreams, randomFrom } from '../src/core/random.js';
import { RegionTable } from '../src/core/region-table.js';
import { splitEvenly } from '../src/core/regions.js';
import { MIN_CANDIDATES, Samples, sparseGroup } from '../src/core/sampling.js';
import { idlePageSupport } from '../src/kernel/support.js';
import { openThreadCpu, readThreadCpuUs } from '../src/kernel/thread-cpu.js';
import { IdleFiles, IdlePageCheck } from '../src/sources/idle-page/check.js';
import { ProcessSpace } from '../src/sources/process-space.js';
import type { Sampling } from './sample-cost.js';

// A process that samples as a sampler thread does, tick after tick, for sample-cost.ts: prints microseconds of CPU a
// sample. With the same argument it asks about the same pages every time, and leaves them in a file for bench/floor.c.

const { pid, startPage, pages, regions, ticks, sleepUs, remembers, file } = JSON.parse(
  process.argv[2]!,
) as Sampling;
/** Pages that may be asked about. */
const candidates = pages / sparseGroup(pages / regions, MIN_CANDIDATES);
/**
 * Before what is measured: V8 compiles what runs often, and pages have to be found in their frames for a while, each
 * several times. By the check's clock a minute passes, and then half a second like that which is measured.
 */
const WARM_UP = { ticks: Math.ceil((4 * candidates) / regions), us: 60e6 };
const SETTLE_TICKS = 100;
/** Again by that clock: after a day nothing that was found out about a page holds any longer. */
const DAY_US = 86_400e6;

const table = RegionTable.forLimits(10, regions);
table.count = splitEvenly(table, 0, startPage, startPage + pages, regions);
const files = new IdleFiles(idlePageSupport().ok ? {} : { bitmap: NO_BITMAP });
const random = randomFrom(new RandomStreams(1).next());
const check = new IdlePageCheck(new ProcessSpace({ pid }), files);
const target = { samples: new Samples(table), check, random, salt: random.next() };
const asleep = new Int32Array(new SharedArrayBuffer(4));
const asked = new Float64Array(regions * ticks);
let nowUs = 0;

run(WARM_UP.ticks, WARM_UP.us / WARM_UP.ticks);
run(SETTLE_TICKS, DEFAULT_ATTRS.sampleUs);
const cpu = openThreadCpu();
const beganUs = readThreadCpuUs(cpu);
run(ticks, DEFAULT_ATTRS.sampleUs, (tick) => {
  for (let i = 0; i < table.count; i++) asked[tick * table.count + i] = table.samplePage[i]!;
});
console.log((readThreadCpuUs(cpu) - beganUs) / (ticks * table.count));
const out = openSync(file, 'w');
writeSync(out, asked);
closeSync(out);

function run(times: number, tickUs: number, made?: (tick: number) => void): void {
  for (let tick = 0; tick < times; tick++) {
    nowUs += remembers ? tickUs : DAY_US;
    prepare(target, nowUs);
    made?.(tick);
    if (made && sleepUs > 0) Atomics.wait(asleep, 0, 0, sleepUs / 1_000);
    count(target, nowUs);
  }
}
