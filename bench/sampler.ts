import { closeSync, openSync, writeSync } from 'node:fs';
import { IdleFiles, IdlePageCheck } from '../src/checks/idle-page.js';
import { ProcessSpace } from '../src/checks/process-space.js';
import { splitEvenly } from '../src/core/init.js';
import { RandomStreams, randomFrom } from '../src/core/random.js';
import { RegionTable } from '../src/core/region-table.js';
import { pickSparseSamples } from '../src/core/sampling.js';
import { KPageFlags } from '../src/kernel/kpageflags.js';
import { frameIn, Pagemap } from '../src/kernel/pagemap.js';
import { hugePagePages, idlePageSupport } from '../src/kernel/support.js';
import { openThreadCpu, readThreadCpuUs } from '../src/kernel/thread-cpu.js';
import { WordBatch } from '../src/kernel/words.js';
import type { Sampling } from './sample-cost.js';

// A process that samples as a sampler thread does, tick after tick, for sample-cost.ts: prints microseconds of CPU a
// sample. With the same argument it asks about the same pages every time, and leaves them in a file for bench/floor.c.

const { pid, startPage, pages, regions, ticks, sleepUs, file } = JSON.parse(process.argv[2]!) as Sampling;
/** Before what is measured: V8 compiles what runs often. */
const WARM_UP_TICKS = Math.ceil(20_000 / regions);

const table = RegionTable.forLimits(10, regions);
table.count = splitEvenly(table, 0, startPage, startPage + pages, regions);
const random = randomFrom(new RandomStreams(1).next());
const { prepare, check } = idlePageSupport().ok ? wholeCheck() : resolving();
const asleep = new Int32Array(new SharedArrayBuffer(4));
const asked = new Float64Array(regions * ticks);

run(WARM_UP_TICKS, () => {});
const cpu = openThreadCpu();
const beganUs = readThreadCpuUs(cpu);
run(ticks, (tick) => {
  for (let i = 0; i < table.count; i++) asked[tick * table.count + i] = table.samplePage[i]!;
});
console.log((readThreadCpuUs(cpu) - beganUs) / (ticks * table.count));
const out = openSync(file, 'w');
writeSync(out, asked);
closeSync(out);

function run(times: number, made: (tick: number) => void): void {
  for (let tick = 0; tick < times; tick++) {
    prepare();
    made(tick);
    if (sleepUs > 0) Atomics.wait(asleep, 0, 0, sleepUs / 1_000);
    check();
  }
}

function wholeCheck() {
  const check = new IdlePageCheck(new ProcessSpace({ pid }), new IdleFiles(), random, {
    counts: new Float64Array(2),
  });
  return { prepare: () => check.prepareAccessChecks(table), check: () => check.checkAccesses(table) };
}

/** What there is without an idle bitmap: the frame of each page, and its flags. */
function resolving() {
  const [pagemap, flags] = [new Pagemap(pid), new KPageFlags(hugePagePages())];
  const batch = new WordBatch(table.capacity);
  const prepare = () => {
    pickSparseSamples(table, random, 0);
    for (let i = 0; i < table.count; i++) batch.indices[i] = table.samplePage[i]!;
    batch.count = table.count;
    pagemap.readBatch(batch);
    for (let i = 0; i < table.count; i++) batch.indices[i] = Math.max(0, frameIn(batch, i));
    flags.readBatch(batch);
  };
  return { prepare, check: () => {} };
}
