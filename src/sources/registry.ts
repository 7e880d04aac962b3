import { PagepulseError } from '../core/errors.js';
import type { CheckName } from '../core/target.js';
import { idlePageSupport, procSupport, referencedSupport, type Support } from '../kernel/support.js';

/** What a check is like: code asks for abilities, never for names. */
export interface CheckDescriptor {
  /**
   * `pages`: answers for one page of each region in a sampling interval. `regions`: delivers whole regions once an
   * aggregation interval, and has no sampling interval (region-source.ts).
   */
  readonly delivers: 'pages' | 'regions';
  /** What a tick costs more of. */
  readonly costFollows: 'regions' | 'resident memory' | 'nothing';
  /** Whether it clears what the kernel goes by when memory gets short. */
  readonly disturbsReclaim: boolean;
  /** The aggregation interval unless the user gives one, in microseconds; undefined for that of DEFAULT_ATTRS. */
  readonly defaultAggrUs?: number;
  /** Whether this machine can do it, for this user. Opens files, changes nothing. */
  supported(): Support;
}

export const CHECKS: Readonly<Record<CheckName, CheckDescriptor>> = {
  'idle-page': {
    delivers: 'pages',
    costFollows: 'regions',
    disturbsReclaim: false,
    supported: idlePageSupport,
  },
  referenced: {
    delivers: 'regions',
    costFollows: 'resident memory',
    disturbsReclaim: true,
    defaultAggrUs: 1_000_000,
    supported: referencedSupport,
  },
  synthetic: {
    delivers: 'pages',
    costFollows: 'nothing',
    disturbsReclaim: false,
    supported: () => ({ ok: true }),
  },
};

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
