import test from 'ava';
import { Monitor } from '../../src/index.js';
import { BASE, hotCold, MIB } from '../helpers/synthetic.js';

test('a run that ends within an aggregation interval has a snapshot, extrapolated from its ticks', async (t) => {
  const attrs = { sampleUs: 5_000, aggrUs: 1_000_000 };
  const targets = [hotCold()];
  await using monitor = await Monitor.start({
    targets,
    attrs,
    clock: 'virtual',
    seed: 1,
    durationUs: 300_000,
  });
  const snapshots = [];
  for await (const snapshot of monitor) snapshots.push(snapshot);
  t.is(snapshots.length, 1);
  const [{ endUs, maxNrAccesses, regions, isSettling }] = snapshots as [(typeof snapshots)[0]];
  t.is(endUs, 300_000);
  t.true(isSettling);
  const hot = BASE + 110 * MIB;
  const region = regions.find(({ startAddress, endAddress }) => startAddress <= hot && hot < endAddress)!;
  t.true(region.nrAccesses > maxNrAccesses / 2, `${region.nrAccesses} of ${maxNrAccesses}`);
});

test('an interval that has barely started is not published at the end, if others were before', async (t) => {
  const attrs = { sampleUs: 5_000, aggrUs: 100_000 };
  await using monitor = await Monitor.start({
    targets: [hotCold()],
    attrs,
    clock: 'virtual',
    durationUs: 210_000,
  });
  const ends: number[] = [];
  for await (const { endUs } of monitor) ends.push(endUs);
  t.deepEqual(ends, [100_000, 200_000]);
});

test('a target that ends in the middle of an interval has a last snapshot', async (t) => {
  const attrs = { sampleUs: 5_000, aggrUs: 1_000_000 };
  const targets = [hotCold(32, { endsUs: 600_000 })];
  await using monitor = await Monitor.start({ targets, attrs, clock: 'virtual' });
  const ends: number[] = [];
  for await (const { endUs, regions } of monitor) {
    ends.push(endUs);
    t.true(regions.some(({ nrAccesses }) => nrAccesses > 0));
  }
  t.deepEqual(ends.length, 1);
  t.true(ends[0]! <= 610_000, String(ends[0]));
});

test('the first snapshot does not wait for the end of a long aggregation interval', async (t) => {
  const attrs = { sampleUs: 60_000, aggrUs: 600_000_000 };
  await using monitor = await Monitor.start({ targets: [hotCold()], attrs, seed: 1 });
  for await (const { endUs, regions } of monitor) {
    t.true(endUs < 100_000_000);
    t.true(regions.some(({ nrAccesses }) => nrAccesses > 0));
    break;
  }
});

test('a duration ends the monitor before a tick that is due much later, and publishes the interval', async (t) => {
  const attrs = { sampleUs: 3_600_000_000, aggrUs: 3_600_000_000 };
  await using monitor = await Monitor.start({ targets: [hotCold()], attrs, seed: 1, durationUs: 300_000 });
  const counts: number[] = [];
  for await (const { regions } of monitor) counts.push(...regions.map(({ nrAccesses }) => nrAccesses));
  t.is((await monitor.ended).reason, 'duration');
  t.true(counts.includes(1));
});
