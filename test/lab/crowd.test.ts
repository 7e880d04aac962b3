import test from 'ava';
import type { RecordLine, SnapshotLine, TargetLine } from '../../src/record/format.js';
import type { TopDocument } from '../../src/report/top/json.js';
import { Guest } from './machine/guest.js';
import { scenario } from './scenario.js';
import { expectScore } from './score/expect.js';
import { meanOf, score } from './score/score.js';
import { scoreText } from './score/text.js';
import { phasesOf, pidsOf } from './score/truth.js';

// Several processes that are chosen and followed by one command, as a user gives it.

const guest = Guest.shared();
const parsed = (name: string) =>
  guest
    .read(name)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Snapshots of each process of the service, on an average. */
const EACH = 30;

scenario('service: a script that starts four workers is recorded with all of them', async (t) => {
  const service = `for i in 1 2 3 4; do hotcold 32 12 4 >/out/worker.$i & done
for _ in $(seq 240); do [ $(grep -c type...snapshot /out/service.ndjson) -lt ${5 * EACH} ] || break; sleep 0.5; done
kill $(jobs -p)`;
  await guest.shell(
    `rm -f /out/service.ndjson
pagepulse record --sample 20ms --aggr 400ms -o /out/service.ndjson -- bash -c '${service}'`,
    180,
  );
  const lines = parsed('service.ndjson') as RecordLine[];
  const header = lines[0] as { startedMonotonicNs: string };
  const startedUs = Number(header.startedMonotonicNs) / 1e3;
  const targets = lines.filter((line): line is TargetLine => line.type === 'target');
  const snapshots = lines.filter((line): line is SnapshotLine => line.type === 'snapshot');
  const scores = [1, 2, 3, 4].map((worker) => {
    const truth = parsed(`worker.${worker}`);
    const target = targets.find(({ pid }) => pid === pidsOf(truth)[0]);
    t.truthy(target, `worker ${worker} was not recorded`);
    const its = snapshots.filter((line) => line.target === target?.id).slice(-20);
    const byClock = its.map((line) => ({
      ...line,
      startUs: line.startUs + startedUs,
      endUs: line.endUs + startedUs,
    }));
    return score(byClock, phasesOf(truth));
  });
  t.true(targets.some(({ comm }) => comm === 'bash'));
  // Four at a time, and just started: who is seen is the question here, not how sharply.
  const mean = meanOf(scores);
  t.log(scoreText(mean));
  expectScore(t, mean, 0.8);
});

test.serial(
  'top: processes that are found by name are in one table, their sums within the machine',
  async (t) => {
    await guest.shell(
      `for i in 1 2 3; do hotcold 32 12 4 >/dev/null & done; sleep 1
    pagepulse top --once --json --name '^hotcold' --sample 50ms --aggr 1s >/out/top.json
    kill $(jobs -p)`,
      60,
    );
    const top = JSON.parse(guest.read('top.json')) as TopDocument;
    t.is(top.check, 'idle-page');
    t.is(top.rows.length, 3);
    const { processes, residentBytes } = top.totals as { processes: number; residentBytes: number };
    t.is(processes, 3);
    t.true(residentBytes > 3 * 32 * 2 ** 20 && residentBytes < 3 * 40 * 2 ** 20, `${residentBytes}`);
  },
);
