/** A text is not a duration or a size. The message quotes it and lists the accepted forms. */
export class UnitError extends Error {
  override readonly name = 'UnitError';
}

const US_PER_UNIT: Readonly<Record<string, number>> = {
  us: 1,
  ms: 1e3,
  s: 1e6,
  m: 60e6,
  min: 60e6,
  h: 3_600e6,
  d: 86_400e6,
};

const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/**
 * `250us`, `5ms`, `1.5s`, `2min` (also `2m`), `1h`, `1d`: in microseconds, rounded, at least 1.
 *
 * @throws UnitError for anything else, a number without a unit included: 5 what?
 */
export function parseDurationUs(text: string): number {
  const { value, unit } = split(text);
  const us = Math.round(value * (US_PER_UNIT[unit] ?? Number.NaN));
  if (Number.isSafeInteger(us) && us >= 1) return us;
  throw new UnitError(
    `'${text}' is not a duration; give a number and its unit (us, ms, s, min, h or d), as in 250us, 5ms, 1.5s or 2min`,
  );
}

/**
 * `4096`, `256MiB`, `1.5GiB`, `64M` (as MiB), `64MB` (a million each), in either case: in bytes, rounded.
 *
 * @throws UnitError for anything else
 */
export function parseBytes(text: string): number {
  const { value, unit } = split(text);
  const bytes = Math.round(value * (BYTES_PER_UNIT[unit.toLowerCase()] ?? Number.NaN));
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new UnitError(
    `'${text}' is not a size; give bytes, or a number and its unit (KiB, MiB, GiB, TiB; kB, MB, GB, TB), as in 4096, ` +
      '64KiB or 1.5GiB',
  );
}

function split(text: string): { value: number; unit: string } {
  const [, value, unit] = /^\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-zA-Z]*)\s*$/.exec(text) ?? [];
  return { value: Number(value), unit: unit ?? '?' };
}

/** Exactly, in the form that options take: `250us`, `5ms`, `1.5s`. */
export function durationOption(us: number): string {
  if (us >= 1e6) return `${us / 1e6}s`;
  return us >= 1e3 ? `${us / 1e3}ms` : `${us}us`;
}

/** `250 us`, `5 ms`, `1.5 s`, `2 min 10 s`, `3 h 20 min`. */
export function formatDuration(us: number): string {
  if (us < 999.5) return `${Math.round(us)} us`;
  if (us < 999.5e3) return `${threeDigits(us / 1e3)} ms`;
  if (us < 59.95e6) return `${threeDigits(us / 1e6)} s`;
  const seconds = Math.round(us / 1e6);
  if (seconds < 3_600) return twoUnits(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 1_440) return twoUnits(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(minutes / 60);
  return twoUnits(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** Without digits that only flicker, or the fraction by which an interval ended late: from 10 units on, in whole units. */
export function tidy(us: number, unitUs = 1e4): number {
  return us < 10 * unitUs ? us : Math.round(us / unitUs) * unitUs;
}

/** `due in 4 s`, or `due any moment`: in whole seconds, so that it counts down. */
export function formatDue(inUs: number): string {
  return inUs <= 0 ? 'due any moment' : `due in ${formatDuration(Math.ceil(inUs / 1e6) * 1e6)}`;
}

/** `0 B`, `512 KiB`, `95.4 MiB`, `1.25 TiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (value < 1_023.5) return `${threeDigits(value)} ${unit}`;
    value /= 1_024;
  }
  return `${threeDigits(value)} TiB`;
}

/** With three digits, without trailing zeros. */
function threeDigits(value: number): string {
  const decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return String(Number(value.toFixed(decimals)));
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** A share, 0 .. 1, in whole percent; `0 %` only if it is 0. */
export function formatShare(share: number): string {
  return share > 0 && share < 0.01 ? '<1 %' : `${Math.round(share * 100)} %`;
}

/** `1 process`, `12 processes`. */
export function formatProcesses(count: number): string {
  return count === 1 ? '1 process' : `${count} processes`;
}
