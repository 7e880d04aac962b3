import type { Monitor } from '../engine/monitor.js';
import type { MonitorEnd } from '../engine/protocol.js';
import { cgroupExists } from '../kernel/cgroup.js';
import { HIDES_PROCESSES, hidesProcesses } from '../kernel/proc.js';
import { cgroupPath } from '../processes/cgroup-path.js';
import type { SelectionStats, SkipReason } from '../processes/follower.js';
import { otherWatcherText } from '../report/status-text.js';
import { durationOption, formatDue, formatDuration } from '../report/units.js';
import type { Session, SessionEvent } from '../session/session.js';
import { hasFilters, type WatchOptions } from './options.js';

// What commands that watch say beside their output.

export const RECLAIM_NOTE =
  'the referenced check clears accessed bits that memory reclaim relies on: under memory pressure the kernel may evict ' +
  'pages that the watched processes are using';

/** What is being waited for at the start. */
export function waitingNotes({ selection }: Monitor, options: WatchOptions): string[] {
  if (!selection || !hasFilters(options) || selection.watched > 0) return [];
  const missing = (options.cgroup ?? []).map(cgroupPath).filter((path) => !cgroupExists(path));
  const why = missing.length > 0 ? ` (there is no cgroup ${missing.join(', ')})` : '';
  const what = selection.matched > 0 ? 'no matching process can be watched yet' : 'no process matches yet';
  const upTo = options.duration === undefined ? '' : ` for up to ${formatDuration(options.duration)}`;
  const hidden = hidesProcesses() ? [HIDES_PROCESSES] : [];
  return [...hidden, `${what}${why}; waiting for one${upTo}, Ctrl-C to stop`];
}

/** For a status line, until the first snapshot. */
export function waitingText({ monitor, firstSnapshotInUs }: Session): string {
  const what =
    monitor.targets.length === 0
      ? 'waiting for a process to watch'
      : `waiting for the first snapshot, ${formatDue(firstSnapshotInUs)}`;
  return `${what}; Ctrl-C to stop`;
}

/**
 * Events that need a sentence of their own. Of skipped processes, those given by PID are reported one by one; of the
 * others the first one for each kind of reason, since the rest are counted at the end.
 *
 * @returns undefined for all other events
 */
export function eventNotes({ pid: named = [] }: WatchOptions): (event: SessionEvent) => string | undefined {
  const reported = new Set<string>();
  return (event) => {
    if (event.type === 'otherWatcher') return otherWatcherText(event.other);
    if (event.type === 'detached' && event.reason === 'failed') {
      const { pid, comm } = event.target;
      return `process ${pid} (${comm}) is no longer watched: ${event.message}`;
    }
    if (event.type !== 'skipped') return undefined;
    const { request, error } = event;
    const isNamed = 'pid' in request && named.includes(request.pid);
    const isCounted = ['NO_PROCESS', 'ZOMBIE'].includes(error.code) || reported.has(error.code);
    if (!isNamed && isCounted) return undefined;
    reported.add(error.code);
    return isNamed ? error.message : `${error.message} (others skipped for this reason are only counted)`;
  };
}

/** What a command makes of what it sees, in the words of `whyNothing`. */
export interface Aim {
  /** As in `nothing was recorded`. Default `seen`. */
  readonly done?: string;
  /** What comes first, and how many aggregation intervals it takes. Default a snapshot, one. */
  readonly first?: string;
  readonly aggrs?: number;
}

export interface Nothing {
  readonly monitor: Pick<Monitor, 'selection' | 'attrs'>;
  readonly end: MonitorEnd;
  readonly options: WatchOptions;
  /** The command that was started to be watched. */
  readonly child: { readonly hasEnded: boolean } | undefined;
  readonly aim: Aim;
}

/** With more than this share of ticks missed, reading takes longer than the sampling interval. */
const OVERRUN_SHARE = 0.1;
/** A budget above this does not make intervals long. */
const AMPLE_PERCENT = 20;
/** A budget that is too small is multiplied by this. */
const MORE_BUDGET = 5;

const HELP: Partial<Record<SkipReason, string>> = {
  permission: 'permission denied; run as root',
  descriptors: 'out of file descriptors; raise `ulimit -n`',
};

/** Why a monitor ended before it showed anything, and what to do about that, in one sentence. */
export function whyNothing(nothing: Nothing): string {
  const { monitor, child, aim } = nothing;
  const why =
    monitor.selection?.watched === 0
      ? notWatched(monitor.selection, child)
      : `${tooEarly(nothing)}: ${advice(nothing)}`;
  return `nothing was ${aim.done ?? 'seen'}: ${why}`;
}

function notWatched({ matched, skipped }: SelectionStats, child: Nothing['child']): string {
  const reason = (Object.keys(skipped) as SkipReason[]).find((each) => skipped[each] > 0);
  const help = (reason && HELP[reason]) ?? 'run `ps -e` to list processes';
  if (child) return 'the command ended before it could be watched';
  if (matched === 0 && !reason) return `no process matched; ${help}`;
  return `none of the matching processes could be watched; ${help}`;
}

function tooEarly(nothing: Nothing): string {
  const { end, options, child, aim } = nothing;
  const what =
    end.reason === 'targets ended'
      ? `${child ? 'the command' : 'the process'} ended`
      : end.reason === 'duration' && options.duration !== undefined
        ? `--duration (${formatDuration(options.duration)}) was over`
        : 'it was stopped';
  return `${what} before the first ${aim.first ?? 'snapshot'}, which takes ${formatDuration(firstUs(nothing))}`;
}

function firstUs({ monitor, aim }: Nothing): number {
  return monitor.attrs.aggrUs * (aim.aggrs ?? 1);
}

/** Depends on what made the first snapshot late. Shorter intervals help only if they were given and could be kept. */
function advice(nothing: Nothing): string {
  const { end, options, child } = nothing;
  const { reason, stats } = end;
  const { sample, aggr, maxCpu, duration = 0 } = options;
  const { overruns, ticks, inForce } = stats;
  const advices: string[] = [];
  if (reason === 'duration')
    advices.push(`use a longer --duration (${longer(Math.max(firstUs(nothing), duration))})`);
  else if (reason === 'stopped') advices.push('let it run longer');
  else if (!child) advices.push('start the program with `-- COMMAND` to watch it from its start');
  if (overruns > OVERRUN_SHARE * (ticks + overruns)) {
    const missed = `${overruns} of ${overruns + ticks} ticks took longer than their interval`;
    return `${missed}; ${advices[0] ?? 'watch only a part with --range'}`;
  }
  if (inForce.reason === 'budget' || (maxCpu !== undefined && maxCpu <= AMPLE_PERCENT)) {
    const more = maxCpu === undefined ? '' : ` ${Number((MORE_BUDGET * maxCpu).toFixed(2))}%`;
    advices.push(`a larger budget (--max-cpu${more})`);
  } else if (aggr !== undefined) advices.push(`a shorter --aggr (${durationOption(aggr)} was given)`);
  else if (sample !== undefined)
    advices.push(`a shorter --sample (${durationOption(sample)} was given, and a snapshot takes 20 of them)`);
  return advices.length > 0 ? advices.join(', or ') : 'it was too short to be seen';
}

/** Twice as long, in whole seconds or minutes. */
function longer(us: number): string {
  const seconds = Math.ceil((2 * us) / 1e6);
  return seconds < 120 ? `${seconds}s` : `${Math.ceil(seconds / 60)}min`;
}
