import { randomInt } from 'node:crypto';
import { chooseCheck } from '../checks/choose.js';
import type { TargetRequest } from '../checks/target-request.js';
import { type Attrs, completeAttrs } from '../core/attrs.js';
import { PagepulseError } from '../core/errors.js';
import type { CheckName } from '../core/target.js';
import type { ClockName, MonitorSetup } from './protocol.js';
import { defaultSamplerLimit } from './thread-pool.js';

/** How a monitor is to run. Everything has a default that suits watching a process or a few. */
export interface MonitorOptions {
  /** What to watch from the start; more can be attached later. Default none. */
  readonly targets?: readonly TargetRequest[];
  /**
   * Intervals and region limits. Default 5 ms, 100 ms, 1 s, 10, 1,000. With the referenced check, whose ticks cost more
   * the more memory a target has, intervals that are not given follow from what a tick costs.
   */
  readonly attrs?: Partial<Attrs>;
  /** The access check; `auto` takes the best this machine offers. Default `auto`, `synthetic` for synthetic targets. */
  readonly check?: CheckName | 'auto';
  /**
   * Sampler threads: one a target up to this many, beyond it targets share them; `per-target` for no limit. Default
   * twice the processors, at least 4.
   */
  readonly workers?: number | 'per-target';
  /** Seed of all random choices, a 32-bit integer. Default a random one; `monitor.seed` tells. */
  readonly seed?: number;
  /** Snapshots that may wait for a slow reader before further ones are dropped, and counted. Default 1,024. */
  readonly queueLimit?: number;
  /** Ends the monitor after this time, in microseconds. Default never. */
  readonly durationUs?: number;
  /** `virtual` time, for synthetic targets alone, passes as fast as it can be worked off. Default `real`. */
  readonly clock?: ClockName;
}

/** Nobody has more processors, and the shared words have an end. */
const MAX_SAMPLERS = 4_096;

/** @throws PagepulseError `ATTRS`, `UNSUPPORTED` */
export function completeOptions(options: MonitorOptions): MonitorSetup {
  const targets = options.targets ?? [];
  const isSynthetic = targets.length > 0 && targets.every((target) => 'synthetic' in target);
  const check = chooseCheck(options.check ?? (isSynthetic ? 'synthetic' : 'auto'));
  const {
    attrs: given = {},
    durationUs = Number.POSITIVE_INFINITY,
    clock = 'real',
    queueLimit = 1_024,
  } = options;
  if (!(durationUs > 0)) throw refuse(`the duration is ${durationUs} us; give more than 0`);
  if (!(Number.isInteger(queueLimit) && queueLimit >= 1)) {
    throw refuse(`the queue limit is ${queueLimit}; give a whole number from 1 on`);
  }
  if (clock === 'virtual' && check !== 'synthetic') {
    throw refuse(`virtual time is for synthetic targets; processes go on in real time`);
  }
  const seed = options.seed ?? randomInt(2 ** 31);
  if (!Number.isInteger(seed)) throw refuse(`the seed is ${seed}; give a whole number`);
  return {
    check,
    attrs: completeAttrs(defined(given)),
    derive: deriveOf(given),
    targets,
    samplerLimit: samplerLimitOf(options.workers),
    seed,
    queueLimit,
    durationUs,
    clock,
  };
}

function samplerLimitOf(workers: MonitorOptions['workers']): number {
  if (workers === undefined) return defaultSamplerLimit();
  if (workers === 'per-target') return MAX_SAMPLERS;
  if (Number.isInteger(workers) && workers >= 1 && workers <= MAX_SAMPLERS) return workers;
  throw refuse(`the number of workers is ${workers}; give 1 to ${MAX_SAMPLERS}, or per-target`);
}

function deriveOf({ sampleUs, aggrUs }: Partial<Attrs>): MonitorSetup['derive'] {
  if (sampleUs !== undefined) return 'nothing';
  return aggrUs === undefined ? 'sampling and aggregation' : 'sampling';
}

/** Without the members that are there and undefined: they mean the default. */
export function defined(attrs: Partial<Attrs>): Partial<Attrs> {
  return Object.fromEntries(Object.entries(attrs).filter(([, value]) => value !== undefined));
}

function refuse(reason: string): PagepulseError {
  return new PagepulseError('ATTRS', reason);
}
