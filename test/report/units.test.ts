import test from 'ava';
import fc from 'fast-check';
import {
  formatBytes,
  formatDuration,
  parseBytes,
  parseDurationUs,
  UnitError,
} from '../../src/report/units.js';

test('durations as people write them', (t) => {
  const durations: readonly [string, number][] = [
    ['250us', 250],
    ['1us', 1],
    ['5ms', 5_000],
    ['100ms', 100_000],
    ['0.5ms', 500],
    ['1.5s', 1_500_000],
    ['.5s', 500_000],
    [' 2 m ', 120_000_000],
    ['2min', 120_000_000],
    ['1h', 3_600_000_000],
    ['1d', 86_400_000_000],
    ['1.4us', 1],
    ['0.1234567s', 123_457],
  ];
  for (const [text, us] of durations) t.is(parseDurationUs(text), us, text);
});

test('what is no duration is refused with what was given and what is accepted', (t) => {
  const refused = [
    '',
    '5',
    '0ms',
    '0.1us',
    '10ns',
    '-5ms',
    '5 ms s',
    '1e3ms',
    '5MS',
    'ms',
    '1,5s',
    '5constructor',
  ];
  for (const text of [...refused, `${'9'.repeat(400)}s`, '99999999999h']) {
    const error = t.throws(() => parseDurationUs(text), { instanceOf: UnitError }, text);
    t.true(error.message.startsWith(`'${text}' is not a duration`));
    t.regex(error.message, /us, ms, s, min, h/);
  }
});

test('sizes as people write them', (t) => {
  const sizes: readonly [string, number][] = [
    ['0', 0],
    ['4096', 4_096],
    ['4096B', 4_096],
    ['4KiB', 4_096],
    ['4k', 4_096],
    ['256MiB', 268_435_456],
    ['64M', 67_108_864],
    ['64MB', 64_000_000],
    ['64mb', 64_000_000],
    ['1GiB', 1_073_741_824],
    ['1.5 GiB', 1_610_612_736],
    ['128TiB', 2 ** 47],
    ['1TB', 1e12],
  ];
  for (const [text, bytes] of sizes) t.is(parseBytes(text), bytes, text);
});

test('a text that is not a size is refused with the text and the accepted forms', (t) => {
  for (const text of [
    '',
    'MiB',
    '-1',
    '1e6',
    '1PiB',
    '4 096',
    '0x1000',
    '5ms',
    'constructor',
    '9'.repeat(400),
  ]) {
    const error = t.throws(() => parseBytes(text), { instanceOf: UnitError }, text);
    t.true(error.message.startsWith(`'${text}' is not a size`));
    t.regex(error.message, /KiB, MiB, GiB/);
  }
});

test('durations as people read them', (t) => {
  const durations: readonly [number, string][] = [
    [0, '0 us'],
    [250, '250 us'],
    [999, '999 us'],
    [999.6, '1 ms'],
    [5_000, '5 ms'],
    [1_250, '1.25 ms'],
    [100_120, '100 ms'],
    [999_600, '1 s'],
    [1_500_000, '1.5 s'],
    [12_340_000, '12.3 s'],
    [59_960_000, '1 min'],
    [130_000_000, '2 min 10 s'],
    [3_599_600_000, '1 h'],
    [12_000_000_000, '3 h 20 min'],
    [86_400_000_000, '1 d'],
    [90_000_000_000, '1 d 1 h'],
  ];
  for (const [us, text] of durations) t.is(formatDuration(us), text, String(us));
});

test('sizes as people read them', (t) => {
  const sizes: readonly [number, string][] = [
    [0, '0 B'],
    [1, '1 B'],
    [1_023, '1023 B'],
    [1_024, '1 KiB'],
    [524_288, '512 KiB'],
    [1_048_575, '1 MiB'],
    [100_020_000, '95.4 MiB'],
    [1_610_612_736, '1.5 GiB'],
    [1.25 * 2 ** 40, '1.25 TiB'],
    [2 ** 47, '128 TiB'],
    [2 ** 57, '131072 TiB'],
  ];
  for (const [bytes, text] of sizes) t.is(formatBytes(bytes), text, String(bytes));
});

test('a size that was read is within half a per cent of what it was, and reads as a size', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 50 }), (bytes) => {
      const read = parseBytes(formatBytes(bytes));
      t.true(Math.abs(read - bytes) <= bytes * 0.0051);
    }),
  );
});

test('a duration below a minute that was read is within half a per cent of what it was', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 59_900_000 }), (us) => {
      const read = parseDurationUs(formatDuration(us));
      t.true(Math.abs(read - us) <= us * 0.0051);
    }),
  );
});
