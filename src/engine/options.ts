import { randomInt } from 'node:crypto';
import type { AdaptationName } from '../core/adaptation.js';
import {
  type Attrs,
  completeAttrs,
  DEFAULT_ATTRS,
  maxNrAccesses,
  requireKnownTo,
  withoutSampling,
} from '../core/attrs.js';
import { DEFAULT_ADAPTATION } from '../core/create-adaptation.js';
import { PagepulseError } from '../core/errors.js';
import type { CheckName } from '../core/target.js';
import { completeGoal, type TuningGoal } from '../core/tuning.js';
import type { Selection } from '../processes/selection.js';
import { CHECKS, chooseCheck } from '../sources/registry.js';
import type { TargetRequest } from '../sources/source.js';
import { LEAST_INTERVALS } from './budget.js';
import type { ClockName, CostScope, MonitorSetup, PolicySetup } from './protocol.js';
import { defaultSamplerLimit } from './thread-pool.js';

/** More than the processors of any machine; the shared memory of the threads must have some bound. */
export const MAX_SAMPLERS = 4_096;

/** How a monitor is to run. Everything has a default that suits watching a process or a few. */
export interface MonitorOptions {
  /** What to watch from the start; more can be attached later. Default none. */
  readonly targets?: readonly TargetRequest[];
  /**
   * Processes to watch as they come and go, beside `targets`. The monitor ends when all that were named outright have
   * ended, with all that were chosen by them; with filters it waits for more.
   */
  readonly select?: Selection;
  /**
   * Intervals and region limits. Default 5 ms, 100 ms, 1 s, 10, 1,000; of sampling and aggregation interval, one that is
   * given alone makes the other one a twentieth or 20 times of it. Given ones are kept, unless `auto` or a budget is given
   * too: then they are where these start.
   */
  readonly attrs?: Partial<Attrs>;
  /**
   * Finds the intervals while running: so long that enough accesses are seen, and no longer. A goal where the kernel's
   * suggestion does not suit. Default true where no interval is given.
   */
  readonly auto?: boolean | Partial<TuningGoal>;
  /**
   * What watching may cost: CPU as a share of one core, in percent, up to 100 times the processors. Intervals get longer
   * and then maxRegions smaller to keep to it, whoever chose them. Not on virtual time. Default 2 where no interval is
   * given, else none.
   */
  readonly maxCpuPercent?: number;
  /**
   * What counts as cost: coordinator and samplers (`monitor`), for what the main thread does is the program's own
   * business; or all of the process, for a program that does nothing but watch. Default `monitor`.
   */
  readonly costOf?: CostScope;
  /** The access check; `auto` takes the best this machine offers. Default `auto`, `synthetic` for synthetic targets. */
  readonly check?: CheckName | 'auto';
  /**
   * How regions follow what is seen (docs/adaptation.md): the kernel's way, or by the places and answers of samples. Default
   * `damon`.
   */
  readonly adaptation?: AdaptationName;
  /**
   * Sampler threads: one a target up to this many, beyond it targets share them; `per-target` for no limit. Default
   * the processors, at least 2.
   */
  readonly workers?: number | 'per-target';
  /** Seed of all random choices, a 32-bit integer. Default a random one; `monitor.seed` tells. */
  readonly seed?: number;
  /** Snapshots that may wait for a slow reader before further ones are dropped, and counted. Default 1,024. */
  readonly queueLimit?: number;
  /** Leaves out targets that cannot be opened, and tells of each by `skipped`. Default true with `select`, else false: the start fails with it. */
  readonly skipFailing?: boolean;
  /** Ends the monitor with its last target. Default true; false where others may be attached later, and without effect with `select`. */
  readonly endAlone?: boolean;
  /** Ends the monitor after this time, in microseconds. Default never. */
  readonly durationUs?: number;
  /** `virtual` time, for synthetic targets alone, passes as fast as it can be worked off. Default `real`. */
  readonly clock?: ClockName;
}

/** Of one core: what nobody minds. */
const DEFAULT_BUDGET_PERCENT = 2;

/**
 * @param options as the schema lets them pass (options-schema.ts)
 * @param selected targets that the selection has found
 * @throws PagepulseError `ATTRS`, `UNSUPPORTED`
 */
export function completeOptions(
  options: MonitorOptions,
  selected: readonly TargetRequest[] = [],
): MonitorSetup {
  const targets = [...(options.targets ?? []), ...selected];
  const isSynthetic = targets.length > 0 && targets.every((target) => 'synthetic' in target);
  const check = chooseCheck(options.check ?? (isSynthetic ? 'synthetic' : 'auto'));
  const {
    attrs: given = {},
    durationUs = Number.POSITIVE_INFINITY,
    clock = 'real',
    queueLimit = 1_024,
  } = options;
  if (clock === 'virtual' && check !== 'synthetic') {
    throw refuse(`virtual time is for synthetic targets; processes go on in real time`);
  }
  const adaptation = options.adaptation ?? DEFAULT_ADAPTATION;
  requireKnownTo(adaptation, given);
  return {
    check,
    adaptation,
    attrs: attrsOf(defined(given), check),
    policy: policyOf(options, check, durationUs),
    costOf: options.costOf ?? 'monitor',
    targets,
    skipsFailing: options.skipFailing ?? options.select !== undefined,
    endsAlone: options.select ? false : (options.endAlone ?? true),
    samplerLimit: samplerLimitOf(options.workers),
    seed: options.seed ?? randomInt(2 ** 31),
    queueLimit,
    durationUs,
    clock,
  };
}

function attrsOf(given: Partial<Attrs>, check: CheckName): Attrs {
  const { delivers, defaultAggrUs: aggrUs } = CHECKS[check];
  const areGiven = given.sampleUs !== undefined || given.aggrUs !== undefined;
  const attrs = completeAttrs(
    withBothIntervals(areGiven || aggrUs === undefined ? given : { ...given, aggrUs }),
  );
  return delivers === 'regions' ? withoutSampling(attrs) : attrs;
}

function samplerLimitOf(workers: MonitorOptions['workers'] = defaultSamplerLimit()): number {
  return workers === 'per-target' ? MAX_SAMPLERS : workers;
}

function policyOf(
  { attrs, auto, maxCpuPercent, clock }: MonitorOptions,
  check: CheckName,
  durationUs: number,
): PolicySetup {
  const isDelivered = CHECKS[check].delivers === 'regions';
  const areKept = attrs?.sampleUs !== undefined || attrs?.aggrUs !== undefined;
  if (maxCpuPercent !== undefined && clock === 'virtual') {
    throw refuse('virtual time has no cost that a budget could bound; leave maxCpuPercent out');
  }
  const goal = auto ?? !areKept;
  return {
    goal: goal === false ? undefined : goalFor(goal === true ? {} : defined(goal), durationUs),
    maxCpuPercent: maxCpuPercent ?? (areKept || clock === 'virtual' ? undefined : DEFAULT_BUDGET_PERCENT),
    isDefaultBudget: maxCpuPercent === undefined,
    isDelivered,
    durationUs,
  };
}

/** Intervals no longer than leave the monitor some aggregation intervals. */
function goalFor(given: Partial<TuningGoal>, durationUs: number): TuningGoal {
  const goal = completeGoal(given);
  const longestUs = durationUs / (LEAST_INTERVALS * maxNrAccesses(DEFAULT_ATTRS));
  return { ...goal, maxSampleUs: Math.max(goal.minSampleUs, Math.min(goal.maxSampleUs, longestUs)) };
}

/** One of them alone brings the other one with it, in the proportion of the defaults. */
function withBothIntervals(attrs: Partial<Attrs>): Partial<Attrs> {
  const { sampleUs, aggrUs } = attrs;
  const ticks = maxNrAccesses(DEFAULT_ATTRS);
  if (sampleUs !== undefined && aggrUs === undefined) return { ...attrs, aggrUs: sampleUs * ticks };
  if (sampleUs === undefined && aggrUs !== undefined)
    return { ...attrs, sampleUs: Math.max(1, aggrUs / ticks) };
  return attrs;
}

/** Without the members that are there and undefined: they mean the default. */
export function defined<T extends object>(given: T): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as T;
}

function refuse(reason: string): PagepulseError {
  return new PagepulseError('ATTRS', reason);
}
