import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { PagepulseError } from '../core/errors.js';
import type { CheckName } from '../core/target.js';
import { idlePageSupport, procSupport, referencedSupport, type Support } from '../kernel/support.js';
import { IdleFiles, IdlePageCheck } from './idle-page/check.js';
import { ProcessSpace } from './process-space.js';
import { ReferencedSource } from './referenced.js';
import type { PageCheck, RegionSource, TargetRequest } from './source.js';
import { SyntheticCheck } from './synthetic/check.js';

/** Opens targets in one sampler thread. @throws PagepulseError as the sources' constructors do */
export type OpenTarget = (request: TargetRequest, random: RandomGenerator) => PageCheck | RegionSource;

/** The abilities of a source. Code asks for abilities, never for names. */
export interface SourceDescriptor {
  /**
   * `pages`: a `PageCheck`, which answers for one page of each region per sampling interval. `regions`: a `RegionSource`, which
   * delivers whole regions once per aggregation interval and has no sampling interval.
   */
  readonly delivers: 'pages' | 'regions';
  /** What the cost of a tick grows with. */
  readonly costFollows: 'regions' | 'resident memory' | 'nothing';
  /** Whether it clears accessed bits that the kernel needs for reclaim. */
  readonly disturbsReclaim: boolean;
  /** The smallest unit of memory that it can distinguish. */
  readonly resolution: 'page' | 'mapping';
  /** The default aggregation interval in microseconds; undefined for that of DEFAULT_ATTRS. */
  readonly defaultAggrUs?: number;
  /** Whether this machine supports it for the current user. Opens files, but changes nothing. */
  supported(): Support;
  /** Called once in each sampler thread, so that all targets of the thread share system-wide files. */
  open(): OpenTarget;
}

const idlePage: SourceDescriptor = {
  delivers: 'pages',
  costFollows: 'regions',
  disturbsReclaim: false,
  resolution: 'page',
  supported: idlePageSupport,
  open() {
    let files: IdleFiles | undefined;
    return (request) => {
      const process = processOf(request, 'idle-page');
      files ??= new IdleFiles();
      return new IdlePageCheck(process, files);
    };
  },
};

const referenced: SourceDescriptor = {
  delivers: 'regions',
  costFollows: 'resident memory',
  disturbsReclaim: true,
  resolution: 'mapping',
  defaultAggrUs: 1_000_000,
  supported: referencedSupport,
  open: () => (request) => new ReferencedSource(processOf(request, 'referenced')),
};

const synthetic: SourceDescriptor = {
  delivers: 'pages',
  costFollows: 'nothing',
  disturbsReclaim: false,
  resolution: 'page',
  supported: () => ({ ok: true }),
  open: () => (request, random) => {
    if (!('synthetic' in request)) throw mismatch('a process', 'synthetic');
    return new SyntheticCheck(request.synthetic, random);
  },
};

export const CHECKS: Readonly<Record<CheckName, SourceDescriptor>> = {
  'idle-page': idlePage,
  referenced,
  synthetic,
};

function processOf(request: TargetRequest, check: CheckName): ProcessSpace {
  if ('synthetic' in request) throw mismatch('a synthetic target', check);
  return new ProcessSpace(request);
}

function mismatch(target: string, check: CheckName): PagepulseError {
  return new PagepulseError(
    'ATTRS',
    `${target} cannot be watched with the ${check} check; choose another check or leave it out`,
  );
}

/** The checks of processes, best first. */
const BY_QUALITY = ['idle-page', 'referenced'] as const;

/** Whether this machine supports a check for the current user. Opens files, but changes nothing. */
export function supportOf(check: CheckName): Support {
  return CHECKS[check].supported();
}

/**
 * The check to use: the requested one, or with `auto` the best one that works.
 *
 * @throws PagepulseError `UNSUPPORTED`
 */
export function chooseCheck(asked: CheckName | 'auto'): CheckName {
  const proc = procSupport();
  if (asked !== 'synthetic' && !proc.ok) {
    throw new PagepulseError('UNSUPPORTED', `cannot watch processes: ${proc.reason}; ${proc.help}`);
  }
  const candidates: readonly CheckName[] = asked === 'auto' ? BY_QUALITY : [asked];
  const reasons: string[] = [];
  for (const check of candidates) {
    const support = supportOf(check);
    if (support.ok) return check;
    reasons.push(`the ${check} check cannot be used: ${support.reason}; ${support.help}`);
  }
  if (asked === 'auto') throw new PagepulseError('UNSUPPORTED', reasons[0]!);
  const other = BY_QUALITY.find((check) => supportOf(check).ok);
  const hint = other ? `, or use the ${other} check` : '';
  throw new PagepulseError('UNSUPPORTED', reasons[0]! + hint);
}
