import test from 'ava';
import { GrowingFloats } from '../../../src/report/summaries/time-series.js';

test('many numbers are there in their order, also where others have been before', (t) => {
  const floats = new GrowingFloats();
  for (const count of [3_000, 0, 1, 16, 17, 512, 513, 1_024]) {
    floats.clear();
    const numbers = Array.from({ length: count }, (_, i) => count + i / 2);
    for (const number of numbers) floats.push(number);
    t.is(floats.length, count);
    t.deepEqual([...floats.all()], numbers);
    t.deepEqual(
      numbers.map((_, i) => floats.at(i)),
      numbers,
    );
  }
});
