import test from 'ava';
import { Monitor, type MonitorOptions, type Snapshot, type SyntheticRange } from '../../src/index.js';
import { KEPT, MIB } from '../helpers/synthetic.js';

const TIB = 2 ** 40;

/** As V8 lays out its heap: 64 areas of 16 MiB, a tebibyte apart. Every eighth is accessed all the time. */
const SCATTERED: readonly SyntheticRange[] = Array.from({ length: 64 }, (_, i) => ({
  startAddress: i * TIB + 16 * MIB,
  sizeBytes: 16 * MIB,
}));
const isHot = (i: number) => i % 8 === 3;
const HOT = SCATTERED.filter((_, i) => isHot(i)).map((range) => ({ ...range, share: 1 }));

async function snapshotsOf(options: MonitorOptions): Promise<Snapshot[]> {
  await using monitor = await Monitor.start({ clock: 'virtual', seed: 1, attrs: KEPT, ...options });
  const snapshots: Snapshot[] = [];
  for await (const snapshot of monitor) snapshots.push(snapshot);
  return snapshots;
}

/** The working set in MiB. */
const mibOf = (snapshot: Snapshot) => snapshot.workingSetBytes(10) / MIB;

const scattered = { synthetic: { phases: [{ lastsUs: 1e12, mappings: SCATTERED, accesses: HOT }] } } as const;

for (const adaptation of ['damon', 'evidence'] as const) {
  test(`over mapped memory, what is hot is found wherever it lies: ${adaptation}`, async (t) => {
    const options = { targets: [scattered], adaptation, durationUs: 10e6 };
    const mapped = (await snapshotsOf({ ...options, cover: 'mapped' })).at(-1)!;
    t.is(mapped.coveredBytes, 64 * 16 * MIB);
    t.true(mibOf(mapped) > 115 && mibOf(mapped) < 141, `${mibOf(mapped)} MiB of 128`);
    t.true(mapped.isKnown);
    if (adaptation === 'damon') {
      const three = (await snapshotsOf({ ...options, cover: 'three-ranges' })).at(-1)!;
      t.true(three.coveredBytes > 60 * TIB, 'the rule of three ranges covers the gaps as well');
      t.true(mibOf(three) < 10);
    }
  });
}

test('what was learned stays with the memory that stays, and new memory is found', async (t) => {
  const areas = (names: readonly number[]) => names.map((i) => SCATTERED[i]!);
  const hotAt = (i: number) => ({ ...SCATTERED[i]!, share: 1 });
  const before = [0, 2, 3, 5, 6, 7];
  // Area 0 and 6 go, 1, 4 and 9 come, of which 4 is hot at once. 3 was hot all the time.
  const after = [1, 2, 3, 4, 5, 7, 9];
  const target = {
    synthetic: {
      phases: [
        { lastsUs: 6e6, mappings: areas(before), accesses: [hotAt(3)] },
        { lastsUs: 1e12, mappings: areas(after), accesses: [hotAt(3), hotAt(4)] },
      ],
    },
  } as const;
  const snapshots = await snapshotsOf({ targets: [target], cover: 'mapped', durationUs: 12e6 });
  const [kept] = areas([3]);
  const ageIn = ({ regions }: Snapshot) =>
    Math.max(
      ...regions
        .filter(({ startAddress, nrAccesses }) => {
          const at = startAddress - kept!.startAddress;
          return nrAccesses >= 19 && at >= 0 && at < kept!.sizeBytes;
        })
        .map(({ age }) => age),
    );
  const firstAfter = snapshots.findIndex(({ coveredBytes }) => coveredBytes === after.length * 16 * MIB);
  t.true(firstAfter > 0 && snapshots[firstAfter]!.endUs <= 7.2e6, 'within an update interval');
  t.true(ageIn(snapshots[firstAfter]!) > 10, 'the hot area keeps its age');
  t.true(Math.abs(mibOf(snapshots.at(-1)!) - 32) < 4, `${mibOf(snapshots.at(-1)!)} MiB of 32`);
});

test('a sampler that is lost costs a target neither its regions nor its mappings', async (t) => {
  const { synthetic } = scattered;
  for (const kind of ['exit', 'throw'] as const) {
    const target = { synthetic: { ...synthetic, fault: { atUs: 5e6, kind } } };
    await using monitor = await Monitor.start({
      targets: [target, scattered],
      cover: 'mapped',
      clock: 'virtual',
      seed: 1,
      attrs: KEPT,
      adaptation: 'evidence',
      durationUs: 8e6,
    });
    let last: Snapshot | undefined;
    for await (const snapshot of monitor)
      if (snapshot.target.id === (kind === 'exit' ? 0 : 1)) last = snapshot;
    t.true(Math.abs(mibOf(last!) - 128) < 13, `${kind}: ${mibOf(last!)} MiB of 128`);
  }
});

test('ranges given by hand stay as they are, whatever the cover', async (t) => {
  await using monitor = await Monitor.start({
    targets: [{ pid: process.pid, ranges: [{ startAddress: 0x1000_0000, endAddress: 0x2000_0000 }] }],
    cover: 'mapped',
    attrs: KEPT,
  });
  for await (const snapshot of monitor) {
    t.is(snapshot.coveredBytes, 0x1000_0000);
    break;
  }
});
