import { readdirSync } from 'node:fs';
import test from 'ava';
import { Spool } from '../../../src/record/convert/spool.js';
import { folderFor } from '../records.js';

test('every stream has its texts in the order they came, whether they were short or long', (t) => {
  const here = folderFor(t);
  const spool = new Spool(here);
  t.deepEqual(readdirSync(here), [], 'nothing is left of it, however this ends');
  const added = new Map<number, string[]>([5, 3, 9].map((id) => [id, []]));
  for (let i = 0; i < 3_000; i++) {
    const id = [5, 3, 9][i % 3]!;
    const text = `${i} ${'ü'.repeat(i % 7 === 0 ? 9_000 : 3)}`;
    added.get(id)!.push(text);
    spool.add(id, text);
  }
  t.deepEqual(spool.streams, [5, 3, 9]);
  for (const id of [9, 5, 3]) t.deepEqual([...spool.texts(id)], added.get(id));
  spool.close();
});

test('streams are read at the same time', (t) => {
  const spool = new Spool(folderFor(t));
  for (let i = 0; i < 40_000; i++) spool.add(i % 2, `${i}`);
  const [even, odd] = [spool.texts(0), spool.texts(1)];
  for (let i = 0; i < 40_000; i += 2) t.is(`${even.next().value} ${odd.next().value}`, `${i} ${i + 1}`);
  spool.close();
});

test('a folder that cannot be written to is named', (t) => {
  t.throws(() => new Spool('/nowhere'), {
    code: 'OUTPUT',
    message: /\/nowhere\/[^ ]*: its folder does not exist/,
  });
});
