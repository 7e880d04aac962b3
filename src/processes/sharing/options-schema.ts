import { integerIn, numberIn, oneOf, type Rule } from '../../core/rules.js';
import { checked, list, object, optional, value } from '../../core/schema.js';
import type { SharingOptions, SharingTarget } from './types.js';

const ABOVE_0 = numberIn(Number.MIN_VALUE, Number.POSITIVE_INFINITY, 'above 0 % of a core');
const ANY_NUMBER = numberIn(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 'a number');
const FROM_0 = numberIn(0, Number.POSITIVE_INFINITY, '0 ms or more');

const options = object<SharingOptions>({
  method: optional(value(oneOf(['frames', 'pss']))),
  maxCpuPercent: optional(value(ABOVE_0)),
  minIntervalMs: optional(value(FROM_0)),
});

/** An array or a typed array. `checkWorkingSet` checks its order. */
const PAGES: Rule = {
  is: (given) =>
    (Array.isArray(given) || ArrayBuffer.isView(given)) &&
    (given as readonly unknown[]).every?.((page) => typeof page === 'number'),
  wanted: 'an array of page numbers',
};

const targets = list<SharingTarget>(
  object<SharingTarget>({
    id: value(ANY_NUMBER),
    pid: value(integerIn(1, 0x7fff_ffff, 'a PID (a positive integer)')),
    startTime: optional(
      value({
        is: (given) => typeof given === 'string' && /^\d+$/.test(given),
        wanted: 'a string of decimal digits',
      }),
    ),
    workingSet: value(PAGES),
  }),
  'an array of targets',
);

/** Both: @throws PagepulseError `ATTRS` that names the member */
export const checkedOptions = (given: unknown): SharingOptions => checked(options, given, 'options');
export const checkedTargets = (given: unknown): readonly SharingTarget[] =>
  checked(targets, given, 'targets');
