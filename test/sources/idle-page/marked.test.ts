import test from 'ava';
import { Marked } from '../../../src/sources/idle-page/marked.js';

test('neighbours whose bits share a word are marked together, each with a bit of its own', (t) => {
  const marked = new Marked(4);
  const far = 2 ** 33;
  marked.add(0, 64, 64);
  marked.add(1, 127, 127);
  marked.add(3, far + 33, far + 32);
  t.is(marked.words.count, 2);
  t.deepEqual([...marked.words.indices.subarray(0, 2)], [1, far / 64]);
  t.deepEqual([...marked.words.halves.subarray(0, 4)], [1, 2 ** 31, 0, 1]);
});

test('the words read back show for each row whether it is still idle', (t) => {
  const marked = new Marked(4);
  for (const [i, frame] of [64, 70, 127, 200].entries()) marked.add(i, frame, frame);
  marked.words.halves.set([1 << 6, 0, 0, 0]);
  t.deepEqual(
    [0, 1, 2, 3].map((row) => marked.isIdle(row)),
    [false, true, false, false],
  );
});

test('rows are gathered at the front', (t) => {
  const marked = new Marked(4);
  marked.add(5, 64, 64);
  marked.add(7, 99, 96);
  marked.move(1, 0);
  t.deepEqual([marked.region[0], marked.frame[0], marked.idleFrame[0]], [7, 99, 96]);
});
