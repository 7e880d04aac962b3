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
import { chooseCheck, loadSource, requireSupported } from '../sources/registry.js';
import type { CoverName, SourceDescriptor, TargetRequest } from '../sources/source.js';
import { LEAST_INTERVALS } from './budget.js';
import type { ClockName, CostScope, MonitorSetup, PolicySetup } from './protocol.js';
import { defaultSamplerLimit } from './thread-pool.js';

/** More than any machine has processors. Bounds the shared memory of the threads. */
export const MAX_SAMPLERS = 4_096;

/** Options of a monitor. The defaults suit watching one process or a few. */
export interface MonitorOptions {
  /** Targets to watch from the start. More can be attached later. Default none. */
  readonly targets?: readonly TargetRequest[];
  /**
   * Selects processes to watch as they start and exit, in addition to `targets`. With PIDs and runs alone, the monitor ends
   * when all of them and the processes selected through them have ended. With filters, it waits for more processes.
   */
  readonly select?: Selection;
  /**
   * Intervals and region limits. Default: sampling interval 5 ms, aggregation interval 100 ms, update interval 1 s, 10 to
   * 1,000 regions. If only one of sampling and aggregation interval is given, the other follows in the ratio 1 to 20. Given
   * intervals stay fixed. With `auto` or `maxCpuPercent`, they are only the starting point.
   */
  readonly attrs?: Partial<Attrs>;
  /**
   * Tunes the intervals automatically: just long enough to observe enough accesses. Pass a goal to change the kernel's
   * suggested one. Default true if no interval is given, else false.
   */
  readonly auto?: boolean | Partial<TuningGoal>;
  /**
   * CPU budget in percent of one core: above 0, at most 100 times the number of processors. The monitor keeps to it with longer
   * intervals, and then fewer regions, even if they were given. Not allowed on virtual time. Default 2 if no interval is given,
   * else no budget.
   */
  readonly maxCpuPercent?: number;
  /**
   * What counts as cost. `monitor`: the coordinator and sampler threads. `process`: the whole process, for a program that only
   * watches. Default `monitor`.
   */
  readonly costOf?: CostScope;
  /**
   * The access check. `auto` takes the best that this machine supports. Default `auto`; `synthetic` for synthetic targets. For a
   * source of your own, the URL of a module that has a `SourceDescriptor` as its default export. Each thread loads it.
   */
  readonly check?: CheckName | 'auto' | URL;
  /**
   * Which part of an address space the regions lie over: `mapped`, the memory that is mapped, as if there were no gaps; or
   * `three-ranges`, DAMON's rule. No effect on targets with `ranges`, or with the referenced check, whose regions are mappings.
   * Default `three-ranges`.
   */
  readonly cover?: CoverName;
  /**
   * How regions adapt (docs/adaptation.md): `damon` is the kernel's algorithm, `evidence` uses the places and answers of single
   * samples. Default `damon`.
   */
  readonly adaptation?: AdaptationName;
  /**
   * Most sampler threads, from 1 to 4,096. Each target gets its own thread up to this number; further targets share threads.
   * `per-target` means 4,096. Default: the number of processors, at least 2.
   */
  readonly workers?: number | 'per-target';
  /** Seed of all random choices, a 32-bit integer. Default random; see `monitor.seed`. */
  readonly seed?: number;
  /** Most snapshots that wait for a slow reader. Further ones are dropped and counted. Default 1,024. */
  readonly queueLimit?: number;
  /**
   * Whether to leave out targets that cannot be opened, and emit `skipped` for each. Otherwise one of them makes the start fail.
   * Default true with `select`, else false.
   */
  readonly skipFailing?: boolean;
  /** Whether the monitor ends with its last target. Use false to attach others later. No effect with `select`. Default true. */
  readonly endAlone?: boolean;
  /** Ends the monitor after this time, in microseconds, above 0. Default never. */
  readonly durationUs?: number;
  /** `virtual` time passes as fast as the work can be done; not for processes. Default `real`. */
  readonly clock?: ClockName;
}

const DEFAULT_COVER: CoverName = 'three-ranges';
/** Of one core: small enough to leave on. */
const DEFAULT_BUDGET_PERCENT = 2;

/** A source that this machine supports, and what other threads load it from. */
export interface ChosenSource {
  readonly source: SourceDescriptor;
  readonly from: string;
}

/** @throws PagepulseError `ATTRS` (a source of the user's own), `UNSUPPORTED` */
export async function chooseSource({ check, targets = [] }: MonitorOptions): Promise<ChosenSource> {
  const isSynthetic = targets.length > 0 && targets.every((target) => 'synthetic' in target);
  const from = check instanceof URL ? check.href : chooseCheck(check ?? (isSynthetic ? 'synthetic' : 'auto'));
  const source = await loadSource(from);
  if (check instanceof URL) requireSupported(source);
  return { source, from };
}

/**
 * Fills in defaults.
 *
 * @param options checked by the schema (options-schema.ts)
 * @throws PagepulseError `ATTRS`
 */
export function completeOptions(options: MonitorOptions, { source, from }: ChosenSource): MonitorSetup {
  const {
    attrs: given = {},
    durationUs = Number.POSITIVE_INFINITY,
    clock = 'real',
    queueLimit = 1_024,
  } = options;
  if (clock === 'virtual' && source.watches === 'processes') {
    throw refuse("virtual time is for synthetic targets only; use the clock 'real' for processes");
  }
  const adaptation = options.adaptation ?? DEFAULT_ADAPTATION;
  requireKnownTo(adaptation, given);
  return {
    source: from,
    cover: options.cover ?? DEFAULT_COVER,
    adaptation,
    attrs: attrsOf(defined(given), source),
    policy: policyOf(options, source, durationUs),
    costOf: options.costOf ?? 'monitor',
    targets: options.targets ?? [],
    skipsFailing: options.skipFailing ?? options.select !== undefined,
    endsAlone: options.select ? false : (options.endAlone ?? true),
    samplerLimit: samplerLimitOf(options.workers),
    seed: options.seed ?? randomInt(2 ** 31),
    queueLimit,
    durationUs,
    clock,
  };
}

function attrsOf(given: Partial<Attrs>, { delivers, defaultAggrUs: aggrUs }: SourceDescriptor): Attrs {
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
  { delivers }: SourceDescriptor,
  durationUs: number,
): PolicySetup {
  const isDelivered = delivers === 'regions';
  const areKept = attrs?.sampleUs !== undefined || attrs?.aggrUs !== undefined;
  if (maxCpuPercent !== undefined && clock === 'virtual') {
    throw refuse('a CPU budget has no meaning on virtual time; leave maxCpuPercent out');
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

/** Limits the sampling interval, so that several aggregation intervals fit into the duration. */
function goalFor(given: Partial<TuningGoal>, durationUs: number): TuningGoal {
  const goal = completeGoal(given);
  const longestUs = durationUs / (LEAST_INTERVALS * maxNrAccesses(DEFAULT_ATTRS));
  return { ...goal, maxSampleUs: Math.max(goal.minSampleUs, Math.min(goal.maxSampleUs, longestUs)) };
}

/** Derives a missing sampling or aggregation interval from the other, in the ratio of the defaults. */
function withBothIntervals(attrs: Partial<Attrs>): Partial<Attrs> {
  const { sampleUs, aggrUs } = attrs;
  const ticks = maxNrAccesses(DEFAULT_ATTRS);
  if (sampleUs !== undefined && aggrUs === undefined) return { ...attrs, aggrUs: sampleUs * ticks };
  if (sampleUs === undefined && aggrUs !== undefined)
    return { ...attrs, sampleUs: Math.max(1, aggrUs / ticks) };
  return attrs;
}

/** Leaves out members that are undefined, because they mean the default. */
export function defined<T extends object>(given: T): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as T;
}

function refuse(reason: string): PagepulseError {
  return new PagepulseError('ATTRS', reason);
}
