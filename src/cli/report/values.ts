import { InvalidArgumentError } from 'commander';
import type { Window } from '../../report/source/observation.js';
import type { Bounds } from '../../report/summaries/access.js';
import { parseBytes } from '../../report/units.js';
import { UsageError } from '../failure.js';
import { parseAddress, parseDuration, percentOf, withUnit } from '../options.js';

/** `5%`: a share of 1, from 0 on. */
export function parseShare(text: string): number {
  const percent = percentOf(text);
  if (percent <= 100) return percent / 100;
  throw new InvalidArgumentError('Give a share of the samples, from 0% to 100%, as in 5%.');
}

/** `12s`, or `end`: infinite. */
export function parseMoment(text: string): number {
  return text === 'end' ? Number.POSITIVE_INFINITY : parseDurationOrZero(text);
}

export function parseDurationOrZero(text: string): number {
  return /^0+[a-z]*$/.test(text) ? 0 : parseDuration(text);
}

export const parseShares = boundsOf(parseShare, '0%..5%');
export const parseAges = boundsOf(parseDurationOrZero, '30s..');
export const parseSizes = boundsOf((text) => withUnit(parseBytes, text), '1MiB..');
export const parseAddresses = boundsOf(
  (text, end) => parseAddress(text, end === 'from' ? 'up' : 'down'),
  '7f12a0000000..7f12b0000000',
);

/** What takes `a..b`, `a..` or `..b`. */
function boundsOf(
  parse: (text: string, end: 'from' | 'to') => number,
  example: string,
): (text: string) => Bounds {
  return (text) => {
    const [from, to, ...more] = text.split('..').map((part) => part.trim());
    if (to === undefined || more.length > 0 || (from === '' && to === '')) {
      throw new InvalidArgumentError(`Give bounds, one of which may be left out, as in ${example}.`);
    }
    const bounds = {
      from: from === '' ? Number.NEGATIVE_INFINITY : parse(from!, 'from'),
      to: to === '' ? Number.POSITIVE_INFINITY : parse(to, 'to'),
    };
    if (bounds.from <= bounds.to) return bounds;
    throw new InvalidArgumentError('The first bound is larger than the second; exchange them.');
  };
}

export interface WindowOptions {
  readonly from?: number;
  readonly to?: number;
  readonly at?: number;
}

/** @throws UsageError */
export function windowOf({ from, to, at }: WindowOptions): Window {
  if (at !== undefined && (from !== undefined || to !== undefined))
    throw new UsageError('--at is a moment, --from and --to are a stretch of time; give one or the other');
  if (from !== undefined && to !== undefined && from >= to)
    throw new UsageError('--from is not before --to; exchange them');
  return {
    ...(from !== undefined && { fromUs: from }),
    ...(to !== undefined && { toUs: to }),
    ...(at !== undefined && { atUs: at }),
  };
}
