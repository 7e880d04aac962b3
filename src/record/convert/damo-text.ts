// Numbers as damo writes and reads them: `4096`, "4,096", "4.000 KiB", "5 ms", "1 m 2 s 345 ms".

// Maps: a file may name any unit, `constructor` among them.
const SIZES = new Map([['B', 1]]);
for (const [power, letter] of [...'KMGTPE'].entries()) {
  for (const unit of [letter, `${letter}B`, `${letter}iB`]) SIZES.set(unit, 1024 ** (power + 1));
}

const NANOSECONDS = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3_600e9],
  ['d', 86_400e9],
]);

/** Longer ones are no numbers of damo, and to read a million digits takes seconds. */
const MAX_LENGTH = 64;

/** @throws SyntaxError where it is not a number */
export function numberOf(value: unknown): number {
  const isText = typeof value === 'string' && value.length <= MAX_LENGTH;
  const number = isText ? Number(value.replaceAll(',', '') || 'no') : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) throw noNumber(value);
  return number;
}

/** Exact where it has no unit. @throws SyntaxError */
export function bytesOf(value: unknown): bigint {
  return exactly(value, SIZES, 1);
}

/** Exact where it is a whole number of each unit. @throws SyntaxError */
export function nanosecondsOf(value: unknown): bigint {
  return exactly(value, NANOSECONDS, 1);
}

/** Without a unit it is in microseconds. @throws SyntaxError */
export function microsecondsOf(value: unknown): number {
  return Number(exactly(value, NANOSECONDS, 1e3)) / 1e3;
}

/** "35 %" and 35 are the same; @throws SyntaxError */
export function percentOf(value: unknown): number {
  return numberOf(typeof value === 'string' ? value.replace(/\s*%$/, '') : value);
}

function exactly(value: unknown, units: ReadonlyMap<string, number>, unitOfNone: number): bigint {
  const text = String(typeof value === 'number' || typeof value === 'string' ? value : '').replaceAll(
    ',',
    '',
  );
  if (text.length > MAX_LENGTH || !/^\s*-?[\d.]/.test(text)) throw noNumber(value);
  let sum = 0n;
  const rest = text.replace(
    /(-?\d+)(\.\d+)?(?:e([+-]?\d+))?\s*([a-zA-Z]*)\s*/g,
    (_, whole, part, exponent, unit) => {
      const factor = unit === '' ? unitOfNone : units.get(unit);
      if (factor === undefined) throw noNumber(value);
      const rounded = Math.round(Number(`${whole}${part ?? ''}e${exponent ?? 0}`) * factor);
      if (!Number.isFinite(rounded)) throw noNumber(value);
      sum += part || exponent ? BigInt(rounded) : BigInt(whole) * BigInt(factor);
      return '';
    },
  );
  if (rest !== '') throw noNumber(value);
  return sum;
}

function noNumber(value: unknown): SyntaxError {
  const text = typeof value === 'object' && value !== null ? 'a list' : String(JSON.stringify(value));
  return new SyntaxError(`${text.slice(0, MAX_LENGTH)} is not a number that damo writes`);
}
