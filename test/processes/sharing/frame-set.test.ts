import test from 'ava';
import fc from 'fast-check';
import { FrameSet } from '../../../src/processes/sharing/frame-set.js';

/** Near each other, so that some are equal, and far apart, beyond 32 bits. */
const frames = fc.array(
  fc.oneof(fc.nat(100), fc.nat(2 ** 24), fc.integer({ min: 2 ** 32, max: 2 ** 32 + 2 ** 17 })),
);

test('a set of frames has what was added, each once, and nothing else', (t) => {
  const property = fc.property(frames, frames, (added, others) => {
    const [set, model] = [new FrameSet(), new Set<number>()];
    for (const frame of added) {
      const isNew = !model.has(frame);
      model.add(frame);
      if (set.add(frame) !== isNew) return false;
    }
    return (
      set.size === model.size && [...added, ...others].every((frame) => set.has(frame) === model.has(frame))
    );
  });
  t.notThrows(() => fc.assert(property));
});

test('a cleared set is empty, takes no more memory for the same frames, and can be filled again', (t) => {
  const property = fc.property(frames, frames, (before, after) => {
    const set = new FrameSet();
    for (const frame of before) set.add(frame);
    const bytes = set.allocatedBytes;
    set.clear();
    if (set.size !== 0 || before.some((frame) => set.has(frame))) return false;
    for (const frame of before) set.add(frame);
    if (set.allocatedBytes !== bytes) return false;
    set.clear();
    for (const frame of after) set.add(frame);
    return set.size === new Set(after).size;
  });
  t.notThrows(() => fc.assert(property));
});

test('64 GiB of frames take 2 MiB, and a hole of terabytes takes nothing', (t) => {
  const set = new FrameSet();
  for (let frame = 0; frame < 2 ** 24; frame += 2 ** 15) set.add(frame);
  t.is(set.allocatedBytes, 2 ** 21);
  set.add(2 ** 34);
  t.is(set.allocatedBytes, 2 ** 21 + 4_096);
});
