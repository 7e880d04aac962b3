import type { Monitor } from '../engine/monitor.js';
import type { MonitorEnd } from '../engine/protocol.js';
import type { SelectionStats, SkipReason } from '../processes/follower.js';
import { durationOption, formatDuration } from '../report/units.js';
import type { WatchOptions } from './options.js';

/** What a command makes of what it sees. */
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

/** Where more than this share of the ticks was missed, reading takes longer than the sampling interval. */
const OVERRUN_SHARE = 0.1;
/** A budget above this is not what makes intervals long. */
const AMPLE_PERCENT = 20;
/** How much more there is to give. */
const MORE_BUDGET = 5;

const HELP: Partial<Record<SkipReason, string>> = {
  permission: 'the kernel did not allow it; run as root',
  descriptors: 'there were no file descriptors left; raise `ulimit -n`',
};

/** Why a monitor has ended before it showed anything and what to do about that, in a sentence. */
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
  return `none of the processes that matched could be watched; ${help}`;
}

function tooEarly(nothing: Nothing): string {
  const { end, options, child, aim } = nothing;
  const what =
    end.reason === 'targets ended'
      ? `${child ? 'the command' : 'the process'} ended`
      : end.reason === 'duration' && options.duration !== undefined
        ? `the ${formatDuration(options.duration)} of --duration were over`
        : 'it was stopped';
  return `${what} before the first ${aim.first ?? 'snapshot'}, which takes ${formatDuration(firstUs(nothing))}`;
}

function firstUs({ monitor, aim }: Nothing): number {
  return monitor.attrs.aggrUs * (aim.aggrs ?? 1);
}

/** Follows from what made the first snapshot late. Shorter intervals help only if they were given, and could be kept. */
function advice(nothing: Nothing): string {
  const { end, options, child } = nothing;
  const { reason, stats } = end;
  const { sample, aggr, maxCpu, duration = 0 } = options;
  const { overruns, ticks, inForce } = stats;
  const isOverrun = overruns > OVERRUN_SHARE * (ticks + overruns);
  const budget = inForce.reason === 'budget' || (maxCpu !== undefined && maxCpu <= AMPLE_PERCENT);
  const ways: string[] = [];
  if (reason === 'duration')
    ways.push(`give a longer --duration (${longer(Math.max(firstUs(nothing), duration))})`);
  else if (reason === 'stopped') ways.push('let it run for longer');
  else if (!child) ways.push('start the program with `-- COMMAND` to watch it from its start');
  if (isOverrun) {
    const missed = `${overruns} of ${overruns + ticks} ticks took longer than their interval`;
    return `${missed}; ${ways[0] ?? 'watch a part of it with --range'}`;
  }
  if (budget) {
    const more = maxCpu === undefined ? '' : ` ${Number((MORE_BUDGET * maxCpu).toFixed(2))}%`;
    ways.push(`a larger budget (--max-cpu${more})`);
  } else if (aggr !== undefined) ways.push(`a shorter --aggr (${durationOption(aggr)} was given)`);
  else if (sample !== undefined)
    ways.push(`a shorter --sample (${durationOption(sample)} was given, and a snapshot takes 20 of them)`);
  return ways.length > 0 ? ways.join(', or ') : 'it was too short to be seen';
}

/** Twice as long, in whole seconds or minutes. */
function longer(us: number): string {
  const seconds = Math.ceil((2 * us) / 1e6);
  return seconds < 120 ? `${seconds}s` : `${Math.ceil(seconds / 60)}min`;
}
