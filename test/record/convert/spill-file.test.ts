import { readdirSync } from 'node:fs';
import test from 'ava';
import { SpillFile } from '../../../src/record/convert/spill-file.js';
import { folderFor } from '../../helpers/records.js';

test('every stream has its texts in the order they came, whether they were short or long', (t) => {
  const here = folderFor(t);
  const spill = new SpillFile(here);
  t.deepEqual(readdirSync(here), [], 'nothing is left of it, however this ends');
  const added = new Map<number, string[]>([5, 3, 9].map((id) => [id, []]));
  for (let i = 0; i < 3_000; i++) {
    const id = [5, 3, 9][i % 3]!;
    const text = `${i} ${'ü'.repeat(i % 7 === 0 ? 9_000 : 3)}`;
    added.get(id)!.push(text);
    spill.add(id, text);
  }
  t.deepEqual(spill.streams, [5, 3, 9]);
  for (const id of [9, 5, 3]) t.deepEqual([...spill.texts(id)], added.get(id));
  spill.close();
});

test('streams are read at the same time', (t) => {
  const spill = new SpillFile(folderFor(t));
  for (let i = 0; i < 40_000; i++) spill.add(i % 2, `${i}`);
  const [even, odd] = [spill.texts(0), spill.texts(1)];
  for (let i = 0; i < 40_000; i += 2) t.is(`${even.next().value} ${odd.next().value}`, `${i} ${i + 1}`);
  spill.close();
});

test('a folder that cannot be written to is named', (t) => {
  t.throws(() => new SpillFile('/nowhere'), {
    code: 'OUTPUT',
    message: /\/nowhere\/[^ ]*: its directory does not exist/,
  });
});
