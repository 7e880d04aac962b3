import type { Snapshot } from '../../core/snapshot.js';
import type { MonitorStats } from '../../core/stats.js';
import type { TargetInfo } from '../../core/target.js';
import { knownSource } from '../../sources/registry.js';
import { type Unknown, unknownOf, whyUnknown } from '../status-text.js';
import { COLD_US, type Measures, measure, type ProcessRow, sumOfKnown } from './rows.js';

/** Snapshots that a trend goes back. */
export const TREND_LENGTH = 24;
/** For how long a process stays in the table after it has ended. */
export const ENDED_MS = 5_000;

/** Facts about a process that its snapshots do not carry. */
export interface ProcessFacts {
  readonly residentBytes: number;
  readonly parentPid: number;
  /** Undefined if it was not read. */
  readonly cgroup: string | undefined;
}

/** Which pages several watched processes share. */
export interface Sharing {
  /** By target id: resident bytes that others have too. */
  readonly byTarget: ReadonlyMap<number, { readonly sharedBytes: number }>;
  /** Of all targets, each page counted once. */
  readonly sums: { readonly residentBytes: number; readonly workingSetBytes: number };
}

/** All watched processes together. */
export interface Totals {
  readonly processes: number;
  /** Those without a snapshot yet. */
  readonly pending: number;
  /** Those of which only the resident memory is known. */
  readonly unknown: number;
  /** Of the processes of which it is known; undefined if there are none (yet). */
  readonly residentBytes: number | undefined;
  readonly workingSetBytes: number | undefined;
  /** Whether shared pages were counted for each process: the sums are an upper bound then. */
  readonly isUpperBound: boolean;
  /** The same for the working set: if accesses are counted by mapping, a survey cannot tell which pages they were. */
  readonly isWorkingSetUpperBound: boolean;
}

/** Everything as it is shown. Immutable. */
export interface TopState {
  readonly rows: readonly ProcessRow[];
  readonly totals: Totals;
  /** Undefined before the first snapshot. */
  readonly latest:
    | { readonly check: string; readonly endUs: number; readonly stats: MonitorStats }
    | undefined;
  /** When the first snapshot is due, in microseconds from now on; undefined if that is not known. */
  readonly dueInUs: number | undefined;
  /** Targets that could not be opened. */
  readonly skipped: number;
}

/** What the snapshots of a process say. */
interface Seen {
  snapshot: Snapshot;
  measures: Measures;
  trend: readonly (number | null)[];
  /** By the snapshot alone. */
  unknown: Unknown | undefined;
  readonly firstUs: number;
}

interface WatchedProcess {
  readonly target: TargetInfo;
  /** Undefined before the first snapshot. */
  seen: Seen | undefined;
  facts: ProcessFacts | undefined;
  /** When it ended, by the clock of performance.now(). */
  endedMs: number | undefined;
}

/** Makes rows of snapshots and facts. Uses no files, no clock and no terminal. */
export class TopModel {
  readonly #watched = new Map<number, WatchedProcess>();
  #latest: Snapshot | undefined;
  /** Undefined if it is not known which pages are shared. */
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
      // A new array each time, because rows that were handed out keep theirs.
      trend: [...(before?.trend.slice(1 - TREND_LENGTH) ?? []), unknown ? null : measures.workingSetBytes],
      unknown,
      firstUs: before?.firstUs ?? snapshot.startUs,
    };
  }

  /** A process is watched from now on; it is shown before its first snapshot. */
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
   * Drops processes that ended ENDED_MS before `nowMs`. Takes some microseconds per process.
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

  #watchedOf(target: TargetInfo): WatchedProcess {
    let watched = this.#watched.get(target.id);
    if (!watched) {
      watched = { target, seen: undefined, facts: undefined, endedMs: undefined };
      this.#watched.set(target.id, watched);
    }
    return watched;
  }

  #row(id: number, { target, seen, facts, endedMs }: WatchedProcess, weights: CostWeights): ProcessRow {
    const { snapshot, measures } = seen ?? {};
    const residentBytes = facts?.residentBytes ?? snapshot?.residentBytes;
    const unknown = seen && (seen.unknown ?? unknownOf(seen.snapshot, residentBytes));
    /** Memory that is not resident (any longer) is neither in use nor cold. */
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
   * The cost is measured for all processes together. It is divided by what it follows: resident memory if the check walks
   * through all of it, else regions, each of which is sampled once.
   */
  #costWeights(): CostWeights {
    const byTarget = new Map<number, number>();
    let sum = 0;
    for (const [id, { seen, facts, endedMs }] of this.#watched) {
      if (endedMs !== undefined || !seen) continue;
      const { check, columns } = seen.snapshot;
      const weight =
        knownSource(check)?.costFollows === 'resident memory'
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
      // A survey knows pages, but not how many bytes of a mapping were accessed.
      workingSetBytes:
        workingSetBytes === undefined || isCounted ? workingSetBytes : sharing.sums.workingSetBytes,
      isUpperBound: false,
      isWorkingSetUpperBound: isCounted && isUpperBound,
    };
  }
}

interface CostWeights {
  readonly byTarget: ReadonlyMap<number, number>;
  readonly sum: number;
  readonly costPercent: number | null;
}
