import { type Command, InvalidArgumentError } from 'commander';
import type { Window } from '../../report/source/observation.js';
import type { Bounds } from '../../report/summaries/access.js';
import { DEFAULT_LIMITS } from '../../report/summaries/mapping-sums.js';
import { parseBytes } from '../../report/units.js';
import {
  addMonitorOptions,
  parseAddress,
  parseDuration,
  percentOf,
  type WatchOptions,
  withUnit,
} from '../options.js';
import { UsageError } from '../output.js';

/** Options of all kinds of reports. */
export interface ReportOptions extends WatchOptions {
  readonly json?: boolean;
}

/** Adds records as arguments, the options of commands that watch, and --json. */
export function addReportOptions(command: Command): Command {
  const operands = command
    .usage('[options] [record... | -- command...]')
    .argument(
      '[record...]',
      'records, - for standard input; without any, live processes, or a command after --',
    );
  return addMonitorOptions(operands).option('--json', 'print JSON, in bytes and microseconds');
}

/** Which part of a recording is reported on, in microseconds since its start. */
export interface WindowOptions {
  readonly from?: number;
  readonly to?: number;
  readonly at?: number;
}

export function addPeriodOptions(command: Command): Command {
  return command
    .option('--from <time>', 'skip what was before this time since the start', parseDurationOrZero)
    .option('--to <time>', 'skip what was after this time since the start', parseDurationOrZero);
}

/** The same, or a moment. */
export function addMomentOptions(command: Command): Command {
  return addPeriodOptions(command).option(
    '--at <time>',
    'one moment, or `end`: one snapshot per process (default: means over all)',
    parseMoment,
  );
}

/** @throws UsageError */
export function windowOf({ from, to, at }: WindowOptions): Window {
  if (at !== undefined && (from !== undefined || to !== undefined))
    throw new UsageError('--at is a moment and --from and --to are a period; give one or the other');
  if (from !== undefined && to !== undefined && from >= to)
    throw new UsageError('--from is not before --to; exchange them');
  return {
    ...(from !== undefined && { fromUs: from }),
    ...(to !== undefined && { toUs: to }),
    ...(at !== undefined && { atUs: at }),
  };
}

/** From which share of samples on memory is warm, and hot. */
export interface LimitOptions {
  readonly minAccess: number;
  readonly hot: number;
}

export function addMinAccessOption(command: Command): Command {
  return command.option(
    '--min-access <share>',
    'least share of samples with an access, to be in the working set; 0% is any',
    parseShare,
    0,
  );
}

export function addLimitOptions(command: Command): Command {
  return addMinAccessOption(command).option(
    '--hot <share>',
    'least share of samples with an access, to be hot',
    parseShare,
    DEFAULT_LIMITS.hotShare,
  );
}

/** @throws UsageError */
export function limitsOf({ minAccess, hot }: LimitOptions): { warmShare: number; hotShare: number } {
  if (minAccess > hot) throw new UsageError('--min-access is above --hot; exchange them');
  return { warmShare: minAccess, hotShare: hot };
}

/** `5%` as 0.05. */
function parseShare(text: string): number {
  const percent = percentOf(text);
  if (percent <= 100) return percent / 100;
  throw new InvalidArgumentError('Give a share of the samples from 0% to 100%, as in 5%.');
}

/** `12s`; infinite for `end`. */
function parseMoment(text: string): number {
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

/** A parser of `a..b`, `a..` or `..b`. */
function boundsOf(
  parse: (text: string, end: 'from' | 'to') => number,
  example: string,
): (text: string) => Bounds {
  return (text) => {
    const [from, to, ...more] = text.split('..').map((part) => part.trim());
    if (to === undefined || more.length > 0 || (from === '' && to === ''))
      throw new InvalidArgumentError(`Give two bounds, one of which may be left out, as in ${example}.`);
    const bounds = {
      from: from === '' ? Number.NEGATIVE_INFINITY : parse(from!, 'from'),
      to: to === '' ? Number.POSITIVE_INFINITY : parse(to, 'to'),
    };
    if (bounds.from <= bounds.to) return bounds;
    throw new InvalidArgumentError('The first bound is above the second; exchange them.');
  };
}
