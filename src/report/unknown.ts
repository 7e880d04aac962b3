import type { Snapshot } from '../core/snapshot.js';
import { formatBytes } from './units.js';

/** Why nothing is known of a process: too little of what its regions cover is resident. */
export interface Unknown {
  readonly residentBytes: number;
  readonly coveredBytes: number;
}

/** What a person can do about it. */
export const UNKNOWN_HELP = '--range START-END, or --check referenced, which counts by mapping';

/**
 * Undefined if the snapshot says something about its target. One pass over the regions.
 *
 * @param residentBytes of the process, where the snapshot itself does not carry them (older records)
 */
export function unknownOf(snapshot: Snapshot, residentBytes = snapshot.residentBytes): Unknown | undefined {
  if (residentBytes === undefined || snapshot.isKnownWith(residentBytes)) return undefined;
  return { residentBytes, coveredBytes: snapshot.coveredBytes };
}

/** `0.0006 % of the 64 TiB watched is resident, so samples hardly ever meet memory`. */
export function whyUnknown({ residentBytes, coveredBytes }: Unknown): string {
  return (
    `${smallPercent(residentBytes / coveredBytes)} of the ${formatBytes(coveredBytes)} watched is resident, ` +
    'so samples hardly ever meet memory'
  );
}

/** The reason and what helps, a line each. */
export function unknownSentences(unknown: Unknown): string[] {
  return [`${whyUnknown(unknown)}.`, `What helps: ${UNKNOWN_HELP}.`];
}

/** One digit that is not zero, without an exponent. */
function smallPercent(share: number): string {
  if (share <= 0) return '0 %';
  const percent = share * 100;
  const decimals = Math.max(0, -Math.floor(Math.log10(percent)));
  return `${Number(percent.toFixed(decimals)).toFixed(decimals)} %`;
}
