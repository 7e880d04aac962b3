import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Numbers below `n`, the same for the same seed. */
export type Random = (n: number) => number;

export function randomFor(seed: number, index: number): Random {
  const generator = xoroshiro128plus(
    Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35),
  );
  for (let i = 0; i < 4; i++) generator.next(); // neighbouring seeds start alike
  return (n) => (generator.next() >>> 0) % n;
}

/** Gives every target its own mutants. */
export function seedOf(text: string, seed: number): number {
  let hash = seed;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return hash;
}

/** Large inputs are tested in test/record/hostile.ts. */
const MAX_BYTES = 65_536;

const TOKENS = [
  ...['0', '-1', '1e999', '-0', '1.5', '9007199254740993', '18446744073709551615', '1'.repeat(400)],
  ...['null', 'true', '""', '{}', '[]', '[[[[[[[[', ']]]]]]]]', '{"a":', '"\\ud800"', '\\u0000', '[0]'],
  ...['"__proto__":{"x":1},', '"constructor":', '"type":"snapshot"', '"type":"header"', '"type":"end"'],
  ...[
    '"regions":[["ffffffffffffffff","0",1,2]]',
    '"residentBytes":',
    '"snapshots":',
    '"pagepulse":',
    '5 ms',
    '%',
  ],
  ...['"', '""', ',', ',,,,', '\n', '\r\n', '\r', '\uFEFF', '\u2028', '\0', ')', ' (', 'kB', '\x1b[2J'],
].map((text) => Buffer.from(text));

const NUMBERS = [0, 1, -1, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 2 ** 40, 2 ** 52];

/** A few changes to one of the seeds. */
export function mutant(seeds: readonly Buffer[], random: Random): Buffer {
  let bytes: Buffer = Buffer.from(seeds[random(seeds.length)]!);
  const changes = 1 + random([1, 1, 3, 12][random(4)]!); // most formats are refused after more than one change
  for (let i = 0; i < changes; i++) bytes = changed(bytes, seeds, random).subarray(0, MAX_BYTES);
  return bytes;
}

function changed(bytes: Buffer, seeds: readonly Buffer[], random: Random): Buffer {
  const at = random(bytes.length + 1);
  const length = random(Math.min(1 + random(256), bytes.length - at + 1));
  const rest = bytes.subarray(at + length);
  const replaced = (...by: Uint8Array[]) => Buffer.concat([bytes.subarray(0, at), ...by, rest]);
  switch (random(10)) {
    case 0: {
      if (at < bytes.length) bytes[at]! ^= 1 << random(8);
      return bytes;
    }
    case 1: {
      if (at < bytes.length) bytes[at] = random(256);
      return bytes;
    }
    case 2:
      return replaced();
    case 3:
      return Buffer.concat([bytes.subarray(0, at), TOKENS[random(TOKENS.length)]!, bytes.subarray(at)]);
    case 4:
      return replaced(TOKENS[random(TOKENS.length)]!);
    case 5: {
      const times = 1 + random(random(8) === 0 ? 2_000 : 8);
      return replaced(...Array<Uint8Array>(times).fill(bytes.subarray(at, at + length)));
    }
    case 6: {
      const other = seeds[random(seeds.length)]!;
      return Buffer.concat([bytes.subarray(0, at), other.subarray(random(other.length + 1))]);
    }
    case 7:
      return bytes.subarray(0, at);
    case 8:
      return withNumber(bytes, at, NUMBERS[random(NUMBERS.length)]!, random);
    default:
      return withDigits(bytes, at, TOKENS[random(8)]!);
  }
}

/** Sets a binary number, aligned as in Arrow. */
function withNumber(bytes: Buffer, at: number, number: number, random: Random): Buffer {
  const size = [1, 2, 4, 8][random(4)]!;
  const place = at - (at % size);
  if (place + size > bytes.length) return bytes;
  const value = BigInt.asUintN(8 * size, BigInt(number));
  for (let i = 0; i < size; i++) bytes[place + i] = Number((value >> BigInt(8 * i)) & 0xffn);
  return bytes;
}

/** Replaces the next number in the text. */
function withDigits(bytes: Buffer, at: number, number: Uint8Array): Buffer {
  const text = bytes.toString('latin1', at);
  const found = /\d+/.exec(text);
  if (!found) return bytes;
  const from = at + found.index;
  return Buffer.concat([bytes.subarray(0, from), number, bytes.subarray(from + found[0].length)]);
}
