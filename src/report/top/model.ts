import type { Snapshot } from '../../core/snapshot.js';
import type { MonitorStats } from '../../core/stats.js';
import type { CheckName, TargetInfo } from '../../core/target.js';
import { CHECKS } from '../../sources/registry.js';
import { type Unknown, unknownOf, whyUnknown } from '../status-text.js';
import { COLD_US, type Measures, measure, type ProcessRow } from './rows.js';

/** Snapshots that a trend goes back. */
export const TREND_LENGTH = 24;
/** A process that is not watched any longer stays in the table for this time. */
export const ENDED_MS = 5_000;

/** What is read about a process beside its snapshots. */
export interface ProcessFacts {
  readonly residentBytes: number;
  readonly parentPid: number;
  /** Undefined where nobody asked for it. */
  readonly cgroup: string | undefined;
}

/** What is known of pages that several watched processes have. */
export interface Sharing {
  /** By the monitor's number of a target: resident bytes that others have too. */
  readonly byTarget: ReadonlyMap<number, { readonly sharedBytes: number }>;
  /** Of all targets, each page counted once. */
  readonly sums: { readonly residentBytes: number; readonly workingSetBytes: number };
}

/** All watched processes together. */
export interface Totals {
  readonly processes: number;
  /** How many of them have no snapshot yet. */
  readonly pending: number;
  /** Processes of which nothing is known but what is resident. */
  readonly unknown: number;
  /** Undefined where it is not known of any of them (yet); else of those of which it is. */
  readonly residentBytes: number | undefined;
  readonly workingSetBytes: number | undefined;
  /** Whether pages that several have were counted for each: the sums are no less than what is in memory then. */
  readonly isUpperBound: boolean;
  /** The same of the working set alone: where accesses are counted by mapping, a survey cannot tell which pages they were. */
  readonly isWorkingSetUpperBound: boolean;
}

/** The latest of everything, as it is shown. Nothing in it changes. */
export interface TopState {
  readonly rows: readonly ProcessRow[];
  readonly totals: Totals;
  /** Undefined before the first snapshot. */
  readonly latest:
    | { readonly check: CheckName; readonly endUs: number; readonly stats: MonitorStats }
    | undefined;
  /** When the first snapshot is due, in microseconds from now on; undefined where that is not known. */
  readonly dueInUs: number | undefined;
  /** Targets that could not be opened. */
  readonly skipped: number;
}

/** What came of a process with its snapshots. */
interface Seen {
  snapshot: Snapshot;
  measures: Measures;
  trend: readonly (number | null)[];
  /** By what the snapshot itself says. */
  unknown: Unknown | undefined;
  readonly firstUs: number;
}

interface Watched {
  readonly target: TargetInfo;
  /** Undefined before the first snapshot. */
  seen: Seen | undefined;
  facts: ProcessFacts | undefined;
  /** When it ended, by the clock of performance.now(). */
  endedMs: number | undefined;
}

/** Gathers snapshots and what else is known, and makes rows of them. Knows no files, no clock and no terminal. */
export class TopModel {
  readonly #watched = new Map<number, Watched>();
  #latest: Snapshot | undefined;
  /** Where it is known which pages are shared, that. */
  sharing: Sharing | undefined;
  skipped = 0;

  add(snapshot: Snapshot): void {
    const { target, endUs } = snapshot;
    if (!this.#latest || endUs >= this.#latest.endUs) this.#latest = snapshot;
    const measures = measure(snapshot);
    const unknown = unknownOf(snapshot);
    const watched = this.#watchedOf(target);
    const before = watched.seen;
    watched.seen = {
      snapshot,
      measures,
      // A new one each time: rows that were handed out keep theirs.
      trend: [...(before?.trend.slice(1 - TREND_LENGTH) ?? []), unknown ? null : measures.workingSetBytes],
      unknown,
      firstUs: before?.firstUs ?? snapshot.startUs,
    };
  }

  /** A process is watched from now on: it is shown before its first snapshot. */
  start(target: TargetInfo): void {
    this.#watchedOf(target);
  }

  /** @param nowMs by the clock of performance.now() */
  end(id: number, nowMs: number): void {
    const watched = this.#watched.get(id);
    if (watched) watched.endedMs ??= nowMs;
  }

  setFacts(id: number, facts: ProcessFacts): void {
    const watched = this.#watched.get(id);
    if (watched) watched.facts = facts;
  }

  /** Whether this target is in the table. */
  has(id: number): boolean {
    return this.#watched.has(id);
  }

  /**
   * Leaves out what ended some seconds before `nowMs`. Some microseconds a process.
   *
   * @param dueInUs when the first snapshot is due
   */
  state(nowMs: number, dueInUs?: number): TopState {
    for (const [id, { endedMs }] of this.#watched) {
      if (endedMs !== undefined && nowMs - endedMs >= ENDED_MS) this.#watched.delete(id);
    }
    const weights = this.#costWeights();
    const rows = Array.from(this.#watched, ([id, watched]) => this.#row(id, watched, weights));
    return { rows, totals: this.#totals(rows), latest: this.#latest, dueInUs, skipped: this.skipped };
  }

  #watchedOf(target: TargetInfo): Watched {
    let watched = this.#watched.get(target.id);
    if (!watched) {
      watched = { target, seen: undefined, facts: undefined, endedMs: undefined };
      this.#watched.set(target.id, watched);
    }
    return watched;
  }

  #row(id: number, { target, seen, facts, endedMs }: Watched, weights: CostWeights): ProcessRow {
    const { snapshot, measures } = seen ?? {};
    const residentBytes = facts?.residentBytes ?? snapshot?.residentBytes;
    const unknown = seen && (seen.unknown ?? unknownOf(seen.snapshot, residentBytes));
    /** What is not resident (any longer) cannot be in use, nor be taken away. */
    const atMost = (bytes: number | undefined) =>
      unknown || bytes === undefined ? undefined : Math.min(bytes, residentBytes ?? Number.POSITIVE_INFINITY);
    const hasEnded = endedMs !== undefined;
    const weight = weights.byTarget.get(id);
    return {
      kind: 'process',
      key: `process ${id}`,
      target,
      id,
      pid: target.pid,
      startTime: target.startTime,
      name: target.comm,
      cmdline: target.cmdline,
      parentPid: facts?.parentPid,
      cgroup: facts?.cgroup,
      snapshot,
      unknown: unknown && whyUnknown(unknown),
      hasEnded,
      isMember: false,
      residentBytes,
      workingSetBytes: atMost(measures?.workingSetBytes),
      hotBytes: atMost(measures?.hotBytes),
      coldBytes:
        !seen || seen.snapshot.endUs - seen.firstUs < COLD_US ? undefined : atMost(seen.measures.coldBytes),
      unseenBytes: measures?.unseenBytes,
      sharedBytes: this.sharing?.byTarget.get(id)?.sharedBytes,
      costPercent:
        weight === undefined || weights.costPercent === null
          ? undefined
          : (weights.costPercent * weight) / weights.sum,
      trend: seen?.trend ?? [],
    };
  }

  /**
   * The cost is measured for all processes together; each has a part of it by what makes it dear: with the referenced
   * check its resident memory, all of which is walked through, otherwise its regions, each of which is sampled once.
   */
  #costWeights(): CostWeights {
    const byTarget = new Map<number, number>();
    let sum = 0;
    for (const [id, { seen, facts, endedMs }] of this.#watched) {
      if (endedMs !== undefined || !seen) continue;
      const { check, columns } = seen.snapshot;
      const weight =
        CHECKS[check].costFollows === 'resident memory'
          ? (facts?.residentBytes ?? seen.snapshot.residentBytes)
          : columns.startPages.length;
      if (weight === undefined) continue;
      byTarget.set(id, weight);
      sum += weight;
    }
    const stats = this.#latest?.stats;
    return {
      byTarget,
      sum: Math.max(sum, 1),
      costPercent: stats?.recentCpuPercent ?? stats?.cpuPercent ?? null,
    };
  }

  #totals(rows: readonly ProcessRow[]): Totals {
    const running = rows.filter(({ hasEnded }) => !hasEnded);
    const processes = running.length;
    const counts = {
      processes,
      pending: running.filter(({ snapshot }) => !snapshot).length,
      unknown: running.filter(({ unknown }) => unknown !== undefined).length,
    };
    const isUpperBound = processes > 1;
    const workingSetBytes = sumOfKnown(running.map((row) => row.workingSetBytes));
    const { sharing } = this;
    if (!sharing)
      return {
        ...counts,
        residentBytes: sumOfKnown(running.map((row) => row.residentBytes)),
        workingSetBytes,
        isUpperBound,
        isWorkingSetUpperBound: isUpperBound,
      };
    const isCounted = running.some(({ snapshot }) => snapshot?.columns.accessedPages !== undefined);
    return {
      ...counts,
      residentBytes: sharing.sums.residentBytes,
      // A survey knows pages, not how many bytes of a mapping were accessed.
      workingSetBytes:
        workingSetBytes === undefined || isCounted ? workingSetBytes : sharing.sums.workingSetBytes,
      isUpperBound: false,
      isWorkingSetUpperBound: isCounted && isUpperBound,
    };
  }
}

/** Undefined where none is known. */
function sumOfKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
}

interface CostWeights {
  readonly byTarget: ReadonlyMap<number, number>;
  readonly sum: number;
  readonly costPercent: number | null;
}
