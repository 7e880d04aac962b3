import { printable } from '../core/printable.js';
import type { OtherWatcher } from '../core/target.js';

const MOST_NAMED = 5;

/** A warning that figures are too low, and what to do. */
export function otherWatcherText({ pid, comm, targets }: Omit<OtherWatcher, 'atUs'>): string {
  const more = targets.length - MOST_NAMED;
  const named = targets.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
  const what =
    targets.length > 0
      ? `also watches process${targets.length > 1 ? 'es' : ''} ${named}: each clears accesses before the other sees them`
      : 'also uses the idle page bitmap: in memory that both watch, each clears accesses before the other sees them';
  return `process ${pid} (${printable(comm)}) ${what}, so both report too little; stop one of them`;
}
