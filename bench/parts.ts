import type { Bench } from 'tinybench';
import { SOURCES } from '../src/sources/registry.js';
import { adaptationSuite } from './adaptation.js';
import { budget } from './budget.js';
import { churn } from './churn.js';
import { measure, type ProcessCost } from './process.js';
import { compilePrograms } from './programs.js';
import { MANY, RECORDS_HEAD, REPORTS_HEAD, recordsRows, reportsRows } from './records.js';
import { markdown, type Report, spreadText } from './report.js';
import { SAMPLE_COST_HEAD, sampleCostRows, sampleHotCold } from './sample-cost.js';
import { SCALE_HEAD, scaleRows, workersRows } from './scale.js';
import { slowdown } from './slowdown.js';
import { tickSuite } from './tick.js';

/** Each adds a table. */
export const PARTS: Readonly<Record<string, (report: Report) => Promise<void>>> = {
  computing: async (report) => {
    const rows = [...(await rowsOf(adaptationSuite())), ...(await rowsOf(tickSuite()))];
    report.add(markdown(['', 'median', '75 % take less than', '99 % take less than'], rows));
  },

  sample: withPrograms(async (report, { hotcold, floor }) => {
    report.add('A page of each of 1,000 regions: the whole check, without the idle bitmap if there is none.');
    const costs = await sampleHotCold(hotcold, floor, { regions: 1_000, ticks: 200, sleepUs: 0, rounds: 11 });
    report.add(markdown(SAMPLE_COST_HEAD, sampleCostRows(costs)));
  }),

  processes: async (report) => {
    const watching = { attrs: { sampleUs: 5_000, aggrUs: 100_000 }, warmUpSeconds: 30, seconds: 60 };
    // Until V8 compiles it, what a tick computes goes to the heap, and fills the young generation once in some 100 s.
    const ticksAlone = { attrs: { sampleUs: 5_000, aggrUs: 3_600e6 }, warmUpSeconds: 120, seconds: 60 };
    const best = SOURCES['idle-page'].supported().ok ? 'idle-page' : 'referenced';
    report.add(
      'Whole processes at 5 ms and 100 ms: 60 s after a warm-up of 30 s, or of 120 s for ticks alone.',
    );
    const synthetic = { check: 'synthetic', targets: 2, busy: 2 } as const;
    const rows = [
      costRow('two targets, synthetic check', measure({ ...synthetic, ...watching })),
      costRow('the same, ticks alone', measure({ ...synthetic, ...ticksAlone })),
      costRow(`one target, ${best} check`, measure({ check: best, targets: 1, ...watching })),
      costRow('the same, ticks alone', measure({ check: best, targets: 1, ...ticksAlone })),
    ];
    const gcs = 'garbage collections of coordinator and samplers: minor, major';
    report.add(markdown(['', 'CPU', 'resident', 'ticks', 'missed', gcs, 'of the main thread'], rows));
  },

  budget: withPrograms(async (report, { hotcold }) => budget(report, hotcold)),

  scale: async (report) => {
    report.add(
      'Whole processes by default, 30 s after a warm-up of 60 s; five targets are busy, the others sleep.',
    );
    report.add(markdown(SCALE_HEAD, scaleRows()));
  },

  workers: async (report) => {
    report.add('64 targets at 20 ms and 400 ms, 20 s after a warm-up of 20 s.');
    report.add(markdown(SCALE_HEAD, workersRows()));
  },

  churn: async (report) => {
    const { head, rows, told } = await churn();
    report.add(markdown(head, rows));
    report.add(told);
  },

  records: async (report) => {
    report.add('A record of 1 GB: three targets, 300 to 1,000 regions a snapshot.');
    report.add(markdown(RECORDS_HEAD, await recordsRows()));
    report.add(
      `Reports on records of 1 GB: one process with 1,000 regions, and ${MANY} with 10 to 30 each; diff reads two.`,
    );
    report.add(markdown(REPORTS_HEAD, await reportsRows()));
  },

  slowdown: withPrograms(async (report, { hotcold }) => {
    report.add(
      `Watched by default, median (least - most) of pairs: ${spreadText(await slowdown(hotcold), 2)} %`,
    );
  }),
};

type Programs = NonNullable<ReturnType<typeof compilePrograms>>;

function withPrograms(part: (report: Report, programs: Programs) => Promise<void>) {
  return async (report: Report) => {
    const programs = compilePrograms();
    if (programs) await part(report, programs);
    else report.add('Left out, because there is no C compiler: `apt-get install gcc libc6-dev`.');
  };
}

async function rowsOf(bench: Bench): Promise<string[][]> {
  await bench.run();
  return bench.tasks.map(({ name, result }) => {
    if (result.state !== 'completed') throw new Error(`${name} did not complete`);
    const { p50, p75, p99 } = result.latency;
    return [name, ...[p50, p75, p99].map((ms) => `${((ms ?? Number.NaN) * 1_000).toFixed(1)} us`)];
  });
}

function costRow(name: string, cost: ProcessCost): string[] {
  const { cpuPercent, residentMib, minorGcs, majorGcs, mainGcs, ticks, overruns } = cost;
  const figures = [`${cpuPercent.toFixed(1)} %`, `${residentMib.toFixed(0)} MiB`, ticks, overruns];
  return [name, ...figures.map(String), `${minorGcs}, ${majorGcs}`, String(mainGcs)];
}
