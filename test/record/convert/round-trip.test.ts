import test from 'ava';
import fc from 'fast-check';
import type { Format } from '../../../src/record/convert/convert.js';
import type { RecordedRegion, RecordLine } from '../../../src/record/format.js';
import { converted, headerOf, linesIn, RICH, snapshotLineOf, targetOf } from '../../helpers/records.js';

const HOLDING: readonly (readonly [Format, string])[] = [
  ['damo', 'damon.data'],
  ['arrow', 'it.arrow'],
  ['csv', 'it.csv'],
  ['csv', 'it.csv.gz'],
  ['ndjson', 'it.ndjson'],
  ['ndjson', 'it.ndjson.gz'],
];

for (const [format, name] of HOLDING) {
  test(`a record converts to ${name} and back without loss`, async (t) => {
    t.deepEqual(await linesIn(t, await converted(t, RICH, format, name)), RICH);
  });
}

test('two identical snapshots stay two, in every format', async (t) => {
  const [header, target] = [RICH[0]!, RICH[2]!];
  const one = snapshotLineOf([['1000', '3000', 7, 3]], { target: 7, cost: { ticks: 20 } });
  const lines = [header, target, one, one];
  for (const [format, name] of HOLDING)
    t.deepEqual(await linesIn(t, await converted(t, lines, format, name)), lines, name);
});

test('a record survives all formats one after another', async (t) => {
  let path = await converted(t, RICH, 'ndjson');
  for (const format of ['damo', 'csv', 'arrow', 'damo', 'arrow', 'csv'] as const)
    path = await converted(t, path, format);
  t.deepEqual(await linesIn(t, path), RICH);
});

test('any record converts back: several targets mixed, regions anywhere in 64 bits', async (t) => {
  const address = fc.bigInt({ min: 0n, max: 2n ** 52n - 2n }).map((page) => page * 4096n);
  const region = fc
    .tuple(address, fc.nat(20), fc.nat(2 ** 32 - 1), fc.constantFrom([], [], [300], [300, 2.5]))
    .map(
      ([at, nr, age, more]): RecordedRegion => [
        at.toString(16),
        (at + 4096n).toString(16),
        nr,
        age,
        ...(more as [number, number]),
      ],
    );
  const snapshot = fc.record({
    target: fc.nat(2),
    us: fc.integer({ min: 1, max: 1e9 }),
    regions: fc.array(region, { maxLength: 5 }),
    ticks: fc.option(fc.nat(), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(snapshot, { minLength: 1, maxLength: 8 }),
      fc.string(),
      async (snapshots, comm) => {
        const some = snapshots.some(({ regions }) => regions.length > 0);
        fc.pre(some);
        let endUs = 0;
        const lines: RecordLine[] = [
          headerOf(),
          ...[0, 1, 2].map((id) => targetOf({ id, comm })),
          ...snapshots.map(({ target, us, regions, ticks }) => {
            const startUs = endUs;
            endUs += us;
            const cost = ticks === undefined ? {} : { cost: { ticks } };
            return snapshotLineOf(regions, { target, startUs, endUs, ...cost });
          }),
        ];
        for (const format of ['damo', 'arrow', 'csv'] as const) {
          t.deepEqual(await linesIn(t, await converted(t, lines, format)), lines);
        }
      },
    ),
    { numRuns: 15 },
  );
});
