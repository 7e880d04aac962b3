import test from 'ava';
import { KnownFrames } from '../../../src/sources/idle-page/known-frames.js';

const PAGE = 2 ** 34 + 5;
const S = 1_000_000;

/** The frame that is known for the page; undefined where none is. */
function frameOf(known: KnownFrames, owner: number, nowUs: number): number | undefined {
  const slot = known.find(owner, PAGE, nowUs);
  return slot < 0 ? undefined : known.frameAt(slot);
}

test('a frame that has been a page’s for some time is taken to be so for an eighth of that', (t) => {
  const known = new KnownFrames();
  const owner = known.newOwner();
  known.remember(owner, PAGE, 700, 512, 10 * S);
  t.is(frameOf(known, owner, 10 * S + 1), undefined);
  known.remember(owner, PAGE, 700, 512, 18 * S);
  t.is(frameOf(known, owner, 19 * S), 700);
  t.is(known.idleFrameAt(known.find(owner, PAGE, 19 * S)), 512);
  t.is(frameOf(known, owner, 19 * S + 1), undefined);
});

test('but for no longer than four seconds', (t) => {
  const known = new KnownFrames();
  const owner = known.newOwner();
  known.remember(owner, PAGE, 700, 700, 0);
  known.remember(owner, PAGE, 700, 700, 1_000 * S);
  t.is(frameOf(known, owner, 1_004 * S), 700);
  t.is(frameOf(known, owner, 1_004 * S + 1), undefined);
});

test('in another frame a page is as new, and so where another frame speaks for it', (t) => {
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

test('a page that was found in another frame is not known for 20 s, whatever its frames are then', (t) => {
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

test('with its target a page is forgotten, and no other target has it', (t) => {
  const known = new KnownFrames();
  const [one, other] = [known.newOwner(), known.newOwner()];
  for (const atUs of [0, 80 * S]) known.remember(one, PAGE, 700, 700, atUs);
  t.is(frameOf(known, other, 81 * S), undefined);
  t.is(frameOf(known, known.newOwner(), 81 * S), undefined);
  known.distrust(other, PAGE, 81 * S);
  known.distrust(one, PAGE + 1, 81 * S);
  t.is(frameOf(known, one, 81 * S), 700);
});

test('however many pages there are, no page is taken for another', (t) => {
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
