import { readdirSync } from 'node:fs';
import test from 'ava';
import { SpillFile } from '../../../src/record/convert/spill-file.js';
import { folderFor } from '../../helpers/fixtures.js';

test('each stream returns its texts in the order they were added, short or long', (t) => {
  const here = folderFor(t);
  const spill = new SpillFile(here);
  t.deepEqual(readdirSync(here), [], 'the file is unlinked');
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

test('streams can be read at the same time', (t) => {
  const spill = new SpillFile(folderFor(t));
  for (let i = 0; i < 40_000; i++) spill.add(i % 2, `${i}`);
  const [even, odd] = [spill.texts(0), spill.texts(1)];
  for (let i = 0; i < 40_000; i += 2) t.is(`${even.next().value} ${odd.next().value}`, `${i} ${i + 1}`);
  spill.close();
});

test('the error names a directory that cannot be written to', (t) => {
  t.throws(() => new SpillFile('/nowhere'), {
    code: 'OUTPUT',
    message: /\/nowhere\/[^ ]*: its directory does not exist/,
  });
});
