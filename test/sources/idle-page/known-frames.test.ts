import test from 'ava';
import { KnownFrames } from '../../../src/sources/idle-page/known-frames.js';

const PAGE = 2 ** 34 + 5;
const S = 1_000_000;

/** The remembered frame of the page; undefined if unknown. */
function frameOf(known: KnownFrames, owner: number, nowUs: number): number | undefined {
  const slot = known.find(owner, PAGE, nowUs);
  return slot < 0 ? undefined : known.frameAt(slot);
}

test('a page that has had a frame for some time is assumed to keep it for an eighth of that time', (t) => {
  const known = new KnownFrames();
  const owner = known.newOwner();
  known.remember(owner, PAGE, 700, 512, 10 * S);
  t.is(frameOf(known, owner, 10 * S + 1), undefined);
  known.remember(owner, PAGE, 700, 512, 18 * S);
  t.is(frameOf(known, owner, 19 * S), 700);
  t.is(known.idleFrameAt(known.find(owner, PAGE, 19 * S)), 512);
  t.is(frameOf(known, owner, 19 * S + 1), undefined);
});

test('a frame is assumed for four seconds at most', (t) => {
  const known = new KnownFrames();
  const owner = known.newOwner();
  known.remember(owner, PAGE, 700, 700, 0);
  known.remember(owner, PAGE, 700, 700, 1_000 * S);
  t.is(frameOf(known, owner, 1_004 * S), 700);
  t.is(frameOf(known, owner, 1_004 * S + 1), undefined);
});

test('a page in another frame, or with another idle bit, starts again as unknown', (t) => {
  for (const [frame, idleFrame] of [
    [701, 700],
    [700, 701],
  ] as const) {
    const known = new KnownFrames();
    const owner = known.newOwner();
    known.remember(owner, PAGE, 700, 700, 0);
    known.remember(owner, PAGE, 700, 700, 80 * S);
    known.remember(owner, PAGE, frame, idleFrame, 81 * S);
    t.is(frameOf(known, owner, 81 * S + 1), undefined);
    known.remember(owner, PAGE, frame, idleFrame, 89 * S);
    t.is(frameOf(known, owner, 90 * S), frame);
  }
});

test('a page that changed its frame is unknown for 20 s, whatever its frames are then', (t) => {
  const known = new KnownFrames();
  const owner = known.newOwner();
  for (const atUs of [0, 80 * S]) known.remember(owner, PAGE, 700, 700, atUs);
  known.distrust(owner, PAGE, 81 * S);
  for (const [atUs, frame] of [
    [81, 701],
    [90, 700],
    [101, 700],
  ] as const) {
    known.remember(owner, PAGE, frame, frame, atUs * S);
    t.is(frameOf(known, owner, atUs * S), undefined);
  }
  known.remember(owner, PAGE, 700, 700, 109 * S);
  t.is(frameOf(known, owner, 110 * S), 700);
});

test('a new owner number forgets the pages of a target, and no other target has them', (t) => {
  const known = new KnownFrames();
  const [one, other] = [known.newOwner(), known.newOwner()];
  for (const atUs of [0, 80 * S]) known.remember(one, PAGE, 700, 700, atUs);
  t.is(frameOf(known, other, 81 * S), undefined);
  t.is(frameOf(known, known.newOwner(), 81 * S), undefined);
  known.distrust(other, PAGE, 81 * S);
  known.distrust(one, PAGE + 1, 81 * S);
  t.is(frameOf(known, one, 81 * S), 700);
});

test('with any number of pages, no page is mistaken for another', (t) => {
  const known = new KnownFrames();
  const owner = known.newOwner();
  const pages = 200_000;
  for (const atUs of [0, 80 * S]) {
    for (let page = 0; page < pages; page++) known.remember(owner, page, page + 7, page + 7, atUs);
  }
  for (let page = 0; page < pages; page++) {
    const slot = known.find(owner, page, 81 * S);
    if (slot >= 0 && known.frameAt(slot) !== page + 7) t.fail(`page ${page} in ${known.frameAt(slot)}`);
  }
  t.pass();
});
