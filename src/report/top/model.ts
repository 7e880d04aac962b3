import type { Snapshot } from '../../core/snapshot.js';
import type { MonitorStats } from '../../core/stats.js';
import type { CheckName } from '../../core/target.js';
import { COLD_US, type Measures, measure } from './measures.js';
import type { ProcessRow } from './rows.js';

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
  readonly residentBytes: number;
  readonly workingSetBytes: number;
  /** Whether pages that several have were counted for each: the sums are no less than what is in memory then. */
  readonly isUpperBound: boolean;
}

/** The latest of everything, as it is shown. Nothing in it changes. */
export interface TopState {
  readonly rows: readonly ProcessRow[];
  readonly totals: Totals;
  /** Undefined before the first snapshot. */
  readonly latest:
    | { readonly check: CheckName; readonly endUs: number; readonly stats: MonitorStats }
    | undefined;
  /** Targets that could not be opened. */
  readonly skipped: number;
}

interface Watched {
  snapshot: Snapshot;
  measures: Measures;
  facts: ProcessFacts | undefined;
  trend: readonly number[];
  readonly firstUs: number;
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
    const known = this.#watched.get(target.id);
    if (!known) {
      const trend = [measures.workingSetBytes];
      this.#watched.set(target.id, {
        snapshot,
        measures,
        facts: undefined,
        trend,
        firstUs: snapshot.startUs,
        endedMs: undefined,
      });
      return;
    }
    known.snapshot = snapshot;
    known.measures = measures;
    // A new one each time: rows that were handed out keep theirs.
    known.trend = [...known.trend.slice(1 - TREND_LENGTH), measures.workingSetBytes];
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

  /** Whether a snapshot of this target has come, and it has not left the table since. */
  has(id: number): boolean {
    return this.#watched.has(id);
  }

  /** Leaves out what ended some seconds before `nowMs`. Some microseconds a process. */
  state(nowMs: number): TopState {
    for (const [id, { endedMs }] of this.#watched) {
      if (endedMs !== undefined && nowMs - endedMs >= ENDED_MS) this.#watched.delete(id);
    }
    const weights = this.#costWeights();
    const rows = Array.from(this.#watched, ([id, watched]) => this.#row(id, watched, weights));
    return { rows, totals: this.#totals(), latest: this.#latest, skipped: this.skipped };
  }

  #row(
    id: number,
    { snapshot, measures, facts, trend, firstUs, endedMs }: Watched,
    weights: CostWeights,
  ): ProcessRow {
    const { target, endUs } = snapshot;
    const residentBytes = facts?.residentBytes;
    const hasEnded = endedMs !== undefined;
    const weight = weights.byTarget.get(id);
    return {
      kind: 'process',
      key: `process ${id}`,
      id,
      pid: target.pid,
      startTime: target.startTime,
      name: target.comm,
      cmdline: target.cmdline,
      parentPid: facts?.parentPid,
      cgroup: facts?.cgroup,
      snapshot,
      hasEnded,
      isMember: false,
      residentBytes,
      workingSetBytes: measures.workingSetBytes,
      hotBytes: measures.hotBytes,
      // What is not resident cannot be taken away, however cold its addresses are.
      coldBytes:
        endUs - firstUs < COLD_US
          ? undefined
          : Math.min(measures.coldBytes, residentBytes ?? Number.POSITIVE_INFINITY),
      sharedBytes: this.sharing?.byTarget.get(id)?.sharedBytes,
      costPercent:
        weight === undefined || weights.costPercent === null
          ? undefined
          : (weights.costPercent * weight) / weights.sum,
      trend,
    };
  }

  /**
   * The cost is measured for all processes together; each has a part of it by what makes it dear: with the referenced
   * check its resident memory, all of which is walked through, otherwise its regions, each of which is sampled once.
   */
  #costWeights(): CostWeights {
    const byTarget = new Map<number, number>();
    let sum = 0;
    for (const [id, { snapshot, facts, endedMs }] of this.#watched) {
      if (endedMs !== undefined) continue;
      const weight =
        snapshot.check === 'referenced' ? facts?.residentBytes : snapshot.columns.startPages.length;
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

  #totals(): Totals {
    let processes = 0;
    let residentBytes = 0;
    let workingSetBytes = 0;
    for (const { facts, measures, endedMs } of this.#watched.values()) {
      if (endedMs !== undefined) continue;
      processes++;
      residentBytes += facts?.residentBytes ?? 0;
      workingSetBytes += measures.workingSetBytes;
    }
    if (this.sharing) return { processes, ...this.sharing.sums, isUpperBound: false };
    return { processes, residentBytes, workingSetBytes, isUpperBound: processes > 1 };
  }
}

interface CostWeights {
  readonly byTarget: ReadonlyMap<number, number>;
  readonly sum: number;
  readonly costPercent: number | null;
}
