import { availableParallelism } from 'node:os';
import { isRegExp } from 'node:util/types';
import { ADAPTATIONS } from '../core/adaptation.js';
import { ATTRS_RULES, type Attrs } from '../core/attrs.js';
import { integerIn, numberIn, oneOf, type Rule } from '../core/rules.js';
import {
  checked,
  either,
  flag,
  isObject,
  list,
  object,
  optional,
  partial,
  type Schema,
  together,
  value,
} from '../core/schema.js';
import { completeGoal, GOAL_RULES, type TuningGoal } from '../core/tuning.js';
import { pageSize } from '../kernel/page-size.js';
import { type AddressRange, type ProcessRequest, pagesOf } from '../processes/process-request.js';
import type { Run, Selection } from '../processes/selection.js';
import { SOURCES } from '../sources/registry.js';
import { COVERS, type TargetRequest } from '../sources/source.js';
import {
  type SyntheticAccess,
  type SyntheticPhase,
  type SyntheticRange,
  type SyntheticSpec,
  validateSynthetic,
} from '../sources/synthetic/spec.js';
import { MAX_SAMPLERS, type MonitorOptions } from './options.js';

const { POSITIVE_INFINITY } = Number;
const MAX_INT = 0x7fff_ffff;

const TEXT: Rule = { is: (given) => typeof given === 'string', wanted: 'a string' };
const PATTERN: Rule = { is: isRegExp, wanted: 'a regular expression' };
const PID = integerIn(1, MAX_INT, 'a PID (a positive integer)');
const TIME = numberIn(Number.MIN_VALUE, POSITIVE_INFINITY, 'a number above 0, in microseconds');
const CHECK = oneOf(['auto', ...Object.keys(SOURCES)]);
const CLONEABLE: Rule = { is: isCloneable, wanted: 'a value that can be sent to a thread' };
const BYTES = numberIn(0, 2 ** 64, 'a number of bytes from 0 to 2^64');

const process: Schema<ProcessRequest> = object<ProcessRequest>({
  pid: value(PID),
  startTime: optional(
    value({
      is: (given) => TEXT.is(given) && /^\d+$/.test(given as string),
      wanted: 'a string of decimal digits',
    }),
  ),
  ranges: optional(
    together(
      list(
        object<AddressRange>({ startAddress: value(BYTES), endAddress: value(BYTES) }),
        'an array of ranges',
      ),
      (ranges) => pagesOf(ranges),
    ),
  ),
});

const range: Schema<SyntheticRange> = object<SyntheticRange>({
  startAddress: value(BYTES),
  sizeBytes: value(BYTES),
});

const phase: Schema<SyntheticPhase> = object<SyntheticPhase>({
  lastsUs: value(TIME),
  accesses: list(
    object<SyntheticAccess>({
      startAddress: value(BYTES),
      sizeBytes: value(BYTES),
      share: value(numberIn(0, 1, 'a number from 0 to 1')),
    }),
    'an array of accesses',
  ),
  mappings: optional(list(range, 'an array of mappings')),
});

const synthetic: Schema<SyntheticSpec> = together(
  object<SyntheticSpec>({
    name: optional(value(TEXT)),
    phases: list(phase, 'an array of phases') as unknown as Schema<SyntheticSpec['phases']>,
    endsUs: optional(value(TIME)),
    fault: optional(
      object<NonNullable<SyntheticSpec['fault']>>({
        atUs: value(numberIn(0, POSITIVE_INFINITY, 'a number of microseconds, 0 or more')),
        kind: value(oneOf(['exit', 'hang', 'throw'])),
        always: optional(flag),
      }),
    ),
  }),
  (spec) => validateSynthetic(spec, pageSize()),
);

const target: Schema<TargetRequest> = either(
  (given) => isObject(given) && 'synthetic' in given,
  object<{ readonly synthetic: SyntheticSpec }>({ synthetic }),
  either(
    (given) => isObject(given) && 'space' in given,
    object<{ readonly space: unknown }>({ space: value(CLONEABLE) }),
    process,
  ),
);
const targets = list(target, 'an array of targets');

const texts = list<string>(value(TEXT), 'an array of strings');
const patterns = list<RegExp>(value(PATTERN), 'an array of regular expressions');

/** Only checks types: `Choice` looks up the named users and cgroups. */
const selection: Schema<Selection> = object<Selection>({
  pids: optional(list<number>(value(PID), 'an array of PIDs')),
  runs: optional(list(object<Run>({ pid: value(PID), mark: optional(value(TEXT)) }), 'an array of runs')),
  names: optional(patterns),
  users: optional(
    list<string | number>(
      value({
        is: (given) => typeof given === 'string' || integerIn(0, 2 ** 32 - 1, '').is(given),
        wanted: 'a user name or UID',
      }),
      'an array of users',
    ),
  ),
  cgroups: optional(texts),
  containers: optional(texts),
  children: optional(flag),
  exclude: optional(patterns),
  maxTargets: optional(
    value({
      is: (given) => given === POSITIVE_INFINITY || integerIn(1, Number.MAX_SAFE_INTEGER, '').is(given),
      wanted: 'a positive integer',
    }),
  ),
  includeSelf: optional(flag),
});

const attrs = partial<Attrs>(ATTRS_RULES);
const allPercent = 100 * availableParallelism();

const options: Schema<MonitorOptions> = object<MonitorOptions>({
  targets: optional(targets),
  select: optional(selection),
  attrs: optional(attrs),
  auto: optional(
    either(
      isObject,
      together(partial<TuningGoal>(GOAL_RULES), completeGoal),
      value<boolean>({ is: (given) => typeof given === 'boolean', wanted: 'true, false or a goal' }),
    ),
  ),
  maxCpuPercent: optional(
    value(
      numberIn(Number.MIN_VALUE, allPercent, `above 0 and at most ${allPercent}, which is all processors`),
    ),
  ),
  costOf: optional(value(oneOf(['monitor', 'process']))),
  check: optional(
    value({
      is: (given) => given instanceof URL || CHECK.is(given),
      wanted: `${CHECK.wanted} or a URL`,
    }),
  ),
  cover: optional(value(oneOf(COVERS))),
  adaptation: optional(value(oneOf(ADAPTATIONS))),
  workers: optional(
    value({
      is: (given) => given === 'per-target' || integerIn(1, MAX_SAMPLERS, '').is(given),
      wanted: `an integer from 1 to ${MAX_SAMPLERS}, or per-target`,
    }),
  ),
  seed: optional(value(integerIn(-(2 ** 31), 2 ** 32 - 1, 'a 32-bit integer'))),
  queueLimit: optional(value(integerIn(1, MAX_INT, 'a positive integer'))),
  skipFailing: optional(flag),
  endAlone: optional(flag),
  durationUs: optional(value(TIME)),
  clock: optional(value(oneOf(['real', 'virtual']))),
});

function isCloneable(given: unknown): boolean {
  try {
    structuredClone(given);
    return true;
  } catch {
    return false;
  }
}

/** Each of the following: @throws PagepulseError `ATTRS` that names the invalid member */
export const checkedOptions = (given: unknown): MonitorOptions => checked(options, given, 'options');
export const checkedTarget = (given: unknown): TargetRequest => checked(target, given, 'target');
export const checkedTargets = (given: unknown): readonly TargetRequest[] =>
  checked(targets, given, 'targets');
export const checkedAttrs = (given: unknown): Partial<Attrs> => checked(attrs, given, 'attrs');

const ID = integerIn(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'the ID of a target');
const ids = list<number>(value(ID), 'an array of target IDs');
export const checkedId = (given: unknown): number => checked(value<number>(ID), given, 'id');
export const checkedIds = (given: unknown): readonly number[] => checked(ids, given, 'ids');
