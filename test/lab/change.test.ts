import { Guest } from './machine/guest.js';
import { scenario } from './scenario.js';
import { expectFollowed, expectFound, scored } from './score/expect.js';
import { shareOf } from './score/score.js';

// Memory whose use changes, and how much memory there is.

const guest = Guest.shared();

scenario('moving: hot ranges are found again where they have moved to', async (t) => {
  expectFollowed(t, await guest.watch({ start: ['moving 240 24 15'], seconds: 46 }));
});

scenario('heap: a heap and a mapping that grow, move and shrink are followed', async (t) => {
  // Every phase is new memory for the most part, in which FINDING snapshots have to be made first: 6 s on a slow machine.
  const watched = await guest.watch({ start: ['heap 15'], seconds: 61 });
  expectFound(t, watched, { least: 0.95, settleUs: 8e6 });
});

scenario('exec: a target that executes another program is watched on in its new memory', async (t) => {
  const watched = await guest.watch({ start: ['execs 5 /out/bin/hotcold 128 50 16'], seconds: 20 });
  t.deepEqual(watched.detached, []);
  // Between the exec and the new program's line, nobody knows what is true.
  expectFound(t, watched, { settleUs: 3e6, fromPhase: 1 });
});

scenario('warm: nrAccesses tells how often a page is accessed', async (t) => {
  // Pages are marked after the last check and looked at when the interval ends: what both take, some 8 ms on the emulator,
  // is missing from the time in which an access is seen. Beside this interval it is little; and regions enough for an
  // even mean.
  const sampleUs = 200_000;
  const attrs = { sampleUs, aggrUs: 4_000_000, updateUs: 4_000_000, minRegions: 40, maxRegions: 100 };
  const watched = await guest.watch({ start: ['warm 32 222 286 400'], attrs, seconds: 44 });
  const snapshots = watched.snapshots[0]!.slice(1);
  const { ranges } = scored(watched)[0]!.phases[0]!;
  for (const range of ranges) {
    const expected = range.kind === 'warm' ? sampleUs / 1e3 / range.everyMs! : 0;
    const share = shareOf(snapshots, range);
    t.log(
      `${range.kind}, every ${range.everyMs ?? '-'} ms: ${share.toFixed(3)}, expected ${expected.toFixed(3)}`,
    );
    if (range.kind === 'warm') t.true(Math.abs(share / expected - 1) <= 0.1, `${share} for ${expected}`);
    else t.true(share < 0.02, `${share} of a cold range`);
  }
});
