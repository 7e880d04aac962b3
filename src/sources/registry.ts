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

/** What a source is like: code asks for abilities, never for names. */
export interface SourceDescriptor {
  /**
   * `pages`: answers for one page of each region in a sampling interval (page-check.ts). `regions`: delivers whole regions
   * once an aggregation interval, and has no sampling interval (region-source.ts).
   */
  readonly delivers: 'pages' | 'regions';
  /** What a tick costs more of. */
  readonly costFollows: 'regions' | 'resident memory' | 'nothing';
  /** Whether it clears what the kernel goes by when memory gets short. */
  readonly disturbsReclaim: boolean;
  /** The smallest part of memory that it tells apart. */
  readonly resolution: 'page' | 'mapping';
  /** The aggregation interval unless the user gives one, in microseconds; undefined for that of DEFAULT_ATTRS. */
  readonly defaultAggrUs?: number;
  /** Whether this machine can do it, for this user. Opens files, changes nothing. */
  supported(): Support;
  /** Called once in each sampler thread: files of the whole machine are opened once for all its targets. */
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
    `${target} cannot be watched with the ${check} check; leave the check to be chosen`,
  );
}

/** The checks of processes, best first. */
const BY_QUALITY = ['idle-page', 'referenced'] as const;

/** Whether this machine can do a check, for this user. Opens files, changes nothing. */
export function supportOf(check: CheckName): Support {
  return CHECKS[check].supported();
}

/**
 * The check to use: the one asked for, or with `auto` the best there is.
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
