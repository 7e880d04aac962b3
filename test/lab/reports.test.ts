import { DEFAULT_ATTRS } from '../../src/core/attrs.js';
import { snapshotOfLine } from '../../src/record/restore.js';
import { renderWss, type WssResult, WssSummary } from '../../src/report/summaries/wss.js';
import { Guest } from './machine/guest.js';
import type { Watched } from './machine/protocol.js';
import { scenario } from './scenario.js';
import { ENOUGH } from './score/expect.js';
import { bytesOf, phasesOf } from './score/truth.js';

// What reports make of it, and what they say where nothing can be known.

const guest = Guest.shared();
const MIB = 2 ** 20;

/** The report of the one process that was watched. */
function wssOf({ snapshots }: Watched): WssResult {
  const report = new WssSummary({ minAccessShare: 0 });
  const header = { check: 'idle-page', pageSize: 4_096, attrs: DEFAULT_ATTRS } as const;
  const target = { id: 0, pid: 1, startTime: '', comm: 'workload', cmdline: [] };
  for (const line of snapshots[0]!) {
    report.add({ snapshot: snapshotOfLine(line, header, target), mappings: [], residentBytes: undefined });
  }
  return report.result();
}

function textOf(result: WssResult): string {
  const source = { source: 'lab', startedAt: '', check: 'idle-page', pageSize: 4_096, notes: [] };
  return renderWss({ ...source, startUs: 0, endUs: 1, snapshots: 1 }, result, 1);
}

for (const start of ['hotcold 512 300 32', 'hotcold 768 100 64']) {
  scenario(`wss: what \`${start}\` needs is told without the time in which that was found`, async (t) => {
    const watched = await guest.watch({ start: [start], seconds: 15, snapshots: 3 * ENOUGH });
    const hot = bytesOf(phasesOf(watched.truths[0]!)[0]!.ranges, 'hot');
    const { processes } = wssOf(watched);
    const { bytes, warmUpUs, isSettled, residentP95Bytes } = processes[0]!;
    t.log(`needs ${(bytes!.p95 / MIB).toFixed(1)} MiB, after ${(warmUpUs / 1e6).toFixed(1)} s`);
    t.true(isSettled && warmUpUs > 0);
    t.true(Math.abs(bytes!.p95 / hot - 1) <= 0.1, `${bytes!.p95 / hot}`);
    t.true(residentP95Bytes! >= 512 * MIB);
    const whole = watched.snapshots[0]!.at(-1)!.memory!.resident.reduce((sum, bytes) => sum + bytes, 0);
    t.true(Math.abs(whole / residentP95Bytes! - 1) < 0.1, 'of what is resident, as the samples say');
  });
}

scenario('wss: of 32 MiB in 8 TiB nothing is known, and the report says why', async (t) => {
  const watched = await guest.watch({ start: ['sparse 8 32'], seconds: 10, snapshots: 10 });
  const result = wssOf(watched);
  t.is(result.processes[0]!.bytes, null);
  t.regex(result.processes[0]!.unknown!, /^0\.000\d % of the [78](\.\d+)? TiB watched is resident, so /);
  t.notRegex(textOf(result), /(^|\s)0 B/);
  t.regex(textOf(result), /--cover mapped, or --check referenced/);
});

scenario('wss: hugetlb is resident, and not seen', async (t) => {
  await guest.shell('echo 20 >/proc/sys/vm/nr_hugepages');
  const watched = await guest.watch({ start: ['hugetlb 16'], seconds: 10, snapshots: ENOUGH });
  const { processes, all } = wssOf(watched);
  const { bytes, unseenBytes, residentP95Bytes } = processes[0]!;
  t.log(`${bytes!.p50 / MIB} MiB, not seen ${unseenBytes! / MIB} MiB of ${residentP95Bytes! / MIB} MiB`);
  t.true(residentP95Bytes! >= 40 * MIB);
  t.true(Math.abs(unseenBytes! / MIB - 32) < 3);
  t.true(Math.abs(bytes!.p50 / MIB - 8) < 2);
  t.regex(textOf({ ...wssOf(watched), all }), /Not seen: 3\d(\.\d)? MiB resident \(hugetlb/);
});
