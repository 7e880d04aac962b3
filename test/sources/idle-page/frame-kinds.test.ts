import test from 'ava';
import { FrameKind, type KPageFlags, NO_IDLE_BIT } from '../../../src/kernel/frames.js';
import { FrameKinds } from '../../../src/sources/idle-page/frame-kinds.js';

/** Flags of a machine with a single kind of frames. Counts reads. */
function flagsOf(kind: FrameKind, idleFrameOf: (frame: number) => number) {
  const flags = {
    kind: FrameKind.OTHER as FrameKind,
    asked: 0,
    idleFrameOf(frame: number) {
      flags.asked++;
      flags.kind = kind;
      return idleFrameOf(frame);
    },
  };
  return { flags, kinds: new FrameKinds(flags as unknown as KPageFlags, 512) };
}

test('plain pages cost one read per place of a huge page', (t) => {
  const { flags, kinds } = flagsOf(FrameKind.PLAIN, (frame) => frame);
  for (let page = 5_120; page < 5_120 + 512; page++)
    t.is(kinds.idleFrameOf(page, 2 * page + 1), 2 * page + 1);
  t.is(flags.asked, 1);
  kinds.idleFrameOf(5_120 + 512, 7);
  t.is(flags.asked, 2);
});

test('the idle bit of a huge page is that of its head', (t) => {
  const { flags, kinds } = flagsOf(FrameKind.HUGE, (frame) => frame - (frame % 512));
  for (let i = 0; i < 512; i++) t.is(kinds.idleFrameOf(2 ** 33 + i, 1_024 + i), 1_024);
  t.is(flags.asked, 1);
});

test('without idle bits, or with several kinds of pages, each page costs a read', (t) => {
  const { flags, kinds } = flagsOf(FrameKind.OTHER, () => NO_IDLE_BIT);
  for (let i = 0; i < 10; i++) t.is(kinds.idleFrameOf(i, i), NO_IDLE_BIT);
  t.is(flags.asked, 10);
});

test('a mistaken place costs a read for each page, until everything is forgotten', (t) => {
  const { flags, kinds } = flagsOf(FrameKind.PLAIN, (frame) => frame);
  kinds.idleFrameOf(3, 3);
  kinds.mistaken(4);
  kinds.idleFrameOf(3, 3);
  kinds.idleFrameOf(3, 3);
  t.is(flags.asked, 3);
  kinds.clear();
  kinds.idleFrameOf(3, 3);
  kinds.idleFrameOf(3, 3);
  t.is(flags.asked, 4);
});
