import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { type SnapshotLine, snapshotLine } from '../../src/record/format.js';
import { parseLine } from '../../src/record/parse.js';
import { parseSnapshotBytes, toColumnar } from '../../src/record/restore.js';
import { snapshotOf } from '../helpers/records.js';
import { snapshotOf as gapsOf, type RegionRow } from '../helpers/snapshots.js';

const PAGE = 4096;

/** The result of JSON.parse; undefined if the line is not a valid snapshot. */
function columnarByJson(bytes: Uint8Array) {
  const line = parseLine(Buffer.from(bytes).toString());
  const isSnapshot = typeof line === 'object' && line.type === 'snapshot';
  return isSnapshot ? toColumnar(line as SnapshotLine, PAGE) : undefined;
}

// Up to 2^57, the end of user addresses with five levels of page tables.
const page = fc.oneof(fc.nat({ max: 2 ** 35 }), fc.nat({ max: 2 ** 45 }));
const numbers = [page, page, ...[1e9 - 1, 1e9 - 1].map((max) => fc.nat({ max }))];
const pages = fc.oneof(fc.constant(0), fc.float({ min: 0, max: 2 ** 35, noNaN: true }));
const evidence = [fc.nat({ max: 1e9 - 1 }), pages, pages];
const rows = fc
  .boolean()
  .chain((hasEvidence) =>
    fc.array(fc.tuple(...numbers, ...(hasEvidence ? evidence : [])), { maxLength: 20 }),
  );
const line: fc.Arbitrary<Uint8Array> = fc
  .tuple(rows, fc.nat(), fc.option(fc.double({ min: 0, max: 6400, noNaN: true })))
  .map(([its, ticks, cpuPercent]) =>
    Buffer.from(snapshotLine(snapshotOf(its as unknown as RegionRow[], { ticks, cpuPercent }))),
  );

test('every written snapshot is read from its bytes, with the same result as JSON.parse', (t) => {
  fc.assert(
    fc.property(line, (bytes) => {
      const columnar = parseSnapshotBytes(bytes, PAGE);
      return columnar !== undefined && isDeepStrictEqual(columnar, columnarByJson(bytes));
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('a line with any byte changed, added or removed gives the result of JSON.parse, or is left to it', (t) => {
  const byte = fc.oneof(
    fc.constantFrom(...Buffer.from('0123456789abcfAF"[]{},:.-+eE \t\n\r\\')),
    fc.nat(255),
  );
  fc.assert(
    fc.property(
      line,
      fc.nat(),
      byte,
      fc.constantFrom(0, 1),
      fc.constantFrom(0, 1),
      (bytes, position, with_, removed, added) => {
        const at = position % bytes.length;
        const changed = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.alloc(added, with_),
          bytes.subarray(at + removed),
        ]);
        const columnar = parseSnapshotBytes(changed, PAGE);
        return columnar === undefined || isDeepStrictEqual(columnar, columnarByJson(changed));
      },
    ),
    { numRuns: 3_000 },
  );
  t.pass();
});

test('a line cut off at any byte is left to JSON.parse', (t) => {
  const bytes = Buffer.from(
    snapshotLine(
      snapshotOf([
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ]),
    ),
  );
  for (let length = 0; length < bytes.length; length++)
    t.is(parseSnapshotBytes(bytes.subarray(0, length), PAGE), undefined, `${length}`);
});

test('JSON that Pagepulse would not write is left to JSON.parse', (t) => {
  const written = snapshotLine(snapshotOf([[1, 2, 3, 4]]));
  for (const [from, to] of [
    ['"1000"', '"0000000000001000"'],
    ['"1000"', '"FFF000"'],
    ['"1000"', '"ff000000000123"'],
    [',3,4]', ', 3,4]'],
    [',3,4]', ',3e0,4]'],
    [',3,4]', ',3,4,"warm"]'],
    [',3,4]', ',3,4,5,1e3]'],
    [',3,4]', ',3,4,5,0.12345]'],
    [',3,4]', ',3,4,-5]'],
    [',3,4]', ',3,4,5,6,7,8]'],
    [',3,4]', ',3,4],["2000","3000",3,4,5]'],
    [',3,4]', ',3,4,5],["2000","3000",3,4]'],
    [',3,4]', ',9007199254740991,4]'],
    ['"startUs":0', '"startUs":0.5'],
    ['"target":0', '"target":7,"target":0'],
    [',"cost"', ',"regions":[],"cost"'],
    [',"cost"', ',"numa":[1],"cost"'],
  ] as const) {
    const other = Buffer.from(written.replace(from, to));
    t.not(other.toString(), written);
    t.is(parseSnapshotBytes(other, PAGE), undefined, to);
    t.truthy(columnarByJson(other), to);
  }
});

test('invalid JSON is not accepted', (t) => {
  const written = snapshotLine(snapshotOf([[1, 2, 3, 4]]));
  for (const [from, to] of [
    [',3,4]', ',03,4]'],
    [',3,4]', ',,4]'],
    [',3,4]', ',3,4,5,6.]'],
    [',3,4]', ',3,4,5,.5]'],
    [',3,4]', ',3,4,]'],
    ['"1000"', '""'],
    [']]', '],]'],
    ['}}', '}'],
    ['}}', '}}}'],
  ] as const) {
    const damaged = Buffer.from(written.replace(from, to));
    t.is(parseSnapshotBytes(damaged, PAGE), undefined, to);
    t.is(columnarByJson(damaged), undefined, to);
  }
});

test('what regions cover is written if they reach over gaps, and only then', (t) => {
  const lineWith = (mapped: number[]) =>
    Buffer.from(
      snapshotLine(
        gapsOf({
          rows: [
            [0, 100, 5, 1],
            [200, 260, 0, 2],
          ],
          memory: { resident: [10, 20], mapped },
        }),
      ),
    );
  const whole = lineWith([100, 60]);
  t.false(whole.includes('mapped'));
  const bytes = lineWith([40, 60]);
  const columnar = parseSnapshotBytes(bytes, PAGE)!;
  t.deepEqual(columnar.columns.mappedPages, Float64Array.of(40, 60));
  t.deepEqual(columnar, columnarByJson(bytes));
  const short = bytes.toString().replace(`"mapped":[${40 * PAGE},${60 * PAGE}]`, `"mapped":[${40 * PAGE}]`);
  t.is(columnarByJson(Buffer.from(short)), undefined, 'a figure for every region');
});
