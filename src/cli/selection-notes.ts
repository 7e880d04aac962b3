import type { Monitor } from '../engine/monitor.js';
import { cgroupExists } from '../kernel/cgroup.js';
import { HIDES_PROCESSES, hidesProcesses } from '../kernel/hidepid.js';
import { cgroupPath } from '../processes/cgroup-path.js';
import { formatSelection } from '../report/status-text.js';
import { formatDuration } from '../report/units.js';
import { note } from './failure.js';
import { hasFilters, type SelectionOptions } from './selection-options.js';

/**
 * Says of each process that was named, and of the first for every kind of reason among the others, why it is not watched;
 * the others are counted.
 *
 * @param tell what to do with each sentence
 */
export function tellSkips(
  monitor: Monitor,
  { pid = [] }: SelectionOptions,
  tell: (text: string) => void,
): void {
  const told = new Set<string>();
  monitor.on('skipped', (request, { code, message }) => {
    const isNamed = 'pid' in request && pid.includes(request.pid);
    const isCounted = code === 'NO_PROCESS' || code === 'ZOMBIE' || told.has(code);
    if (!isNamed && isCounted) return;
    told.add(code);
    tell(isNamed ? message : `${message} (others that are left out for the same reason are counted)`);
  });
}

/** What is waited for at the start. */
export function waitingNotes(
  { selection }: Monitor,
  options: SelectionOptions & { readonly duration?: number },
): string[] {
  if (!selection || !hasFilters(options) || selection.watched > 0) return [];
  const missing = (options.cgroup ?? []).map(cgroupPath).filter((path) => !cgroupExists(path));
  const why = missing.length > 0 ? ` (there is no cgroup ${missing.join(', ')})` : '';
  const what =
    selection.matched > 0 ? 'no process that matches can be watched yet' : 'no process matches yet';
  const upTo = options.duration === undefined ? '' : ` for up to ${formatDuration(options.duration)}`;
  const hidden = hidesProcesses() ? [HIDES_PROCESSES] : [];
  return [...hidden, `${what}${why}; waiting for one${upTo}, Ctrl-C ends it`];
}

/** At the end, what the selection came to, where that is not trivial. */
export function tellSelection({ selection }: Monitor): void {
  const text = selection && formatSelection(selection);
  if (text) note(text);
}
