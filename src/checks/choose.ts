import { PagepulseError } from '../core/errors.js';
import type { CheckName } from '../core/target.js';
import { idlePageSupport, procSupport, referencedSupport, type Support } from '../kernel/support.js';

const SUPPORT: Record<CheckName, () => Support> = {
  'idle-page': idlePageSupport,
  referenced: referencedSupport,
  synthetic: () => ({ ok: true }),
};

/** The checks of processes, best first. */
const BY_QUALITY = ['idle-page', 'referenced'] as const;

/** Whether this machine can do a check, for this user. Opens files, changes nothing. */
export function supportOf(check: CheckName): Support {
  return SUPPORT[check]();
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
