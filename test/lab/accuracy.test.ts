import test from 'ava';
import type { EndLine, RecordLine, SnapshotLine, TargetLine } from '../../src/record/format.js';
import { inGuest, openLab } from './guest.js';
import { score } from './score.js';

/**
 * The emulator runs JavaScript tens of times slower than a processor does, and for its first seconds, until it is
 * compiled, slower still: most ticks are missed then. So the 20 s that are scored come after these.
 */
const WARM_UP_SECONDS = 15;
const SCORED_SECONDS = 20;
/** Of the 20 s, the first three are left out: regions have to be found first. */
const LEFT_OUT_SECONDS = 3;

/** What must hold for one process watched, and for each of two. Measured: docs/lab.md. */
const LEAST = [0.98, 0.97];

for (const workloads of [
  ['256 100 32'],
  ['256 100 32 thp'],
  ['512 300 4'],
  ['256 100 32', '256 100 32 thp'],
]) {
  const least = LEAST[workloads.length - 1]!;
  const names = workloads.map((workload) => `hotcold ${workload}`).join(' and ');
  test(`what ${names} reads is found to be hot, and nothing else`, async (t) => {
    const lab = openLab(t);
    const seconds = WARM_UP_SECONDS + SCORED_SECONDS;
    const start = workloads.map(
      (args, i) => `hotcold ${args} >/out/truth${i} & pids="$pids --pid $!"; ready /out/truth${i}`,
    );
    const result = await inGuest(
      lab,
      `pids=""\n${start.join('\n')}\npagepulse record $pids -o /out/record --duration ${seconds}s\n`,
      seconds + 90,
    );
    const lines: RecordLine[] = result('record')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const from = (WARM_UP_SECONDS + LEFT_OUT_SECONDS) * 1e6;
    workloads.forEach((name, i) => {
      const { pid, ...hex } = JSON.parse(result(`truth${i}`)) as Record<string, string>;
      const truth = Object.fromEntries(
        Object.entries(hex).map(([key, value]) => [key, Number.parseInt(value, 16)]),
      );
      const target = lines.find(
        (line): line is TargetLine => line.type === 'target' && line.pid === Number(pid),
      )!;
      const snapshots = lines.filter(
        (line): line is SnapshotLine =>
          line.type === 'snapshot' && line.target === target.id && line.startUs >= from,
      );
      const { precision, recall } = score(snapshots, truth as never);
      t.log(
        `hotcold ${name}: precision ${precision.toFixed(4)}, recall ${recall.toFixed(4)}, ${snapshots.length} snapshots`,
      );
      t.true(precision >= least, `precision ${precision}`);
      t.true(recall >= least, `recall ${recall}`);
    });
    const { stats } = lines.at(-1) as EndLine;
    const { ticks = 0, overruns = 0, cpuPercent = 0, usPerSample = 0 } = stats;
    t.log(
      `${ticks} of ${ticks + overruns} ticks, ${cpuPercent.toFixed(0)} % of an emulated core, ${usPerSample.toFixed(0)} us a sample`,
    );
  });
}
