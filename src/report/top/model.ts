import type { Snapshot } from '../../core/snapshot.js';
import type { MonitorStats } from '../../core/stats.js';
import type { CheckName } from '../../core/target.js';
import { type Unknown, unknownOf, whyUnknown } from '../unknown.js';
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
  /** Of those of which something is known; undefined if that is none. */
  readonly workingSetBytes: number | undefined;
  /** Processes of which nothing is known but what is resident. */
  readonly unknown: number;
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
  /** Targets that could not be opened. */
  readonly skipped: number;
}

interface Watched {
  snapshot: Snapshot;
  measures: Measures;
  facts: ProcessFacts | undefined;
  trend: readonly (number | null)[];
  /** By what the snapshot itself says. */
  unknown: Unknown | undefined;
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
    const unknown = unknownOf(snapshot);
    const value = unknown ? null : measures.workingSetBytes;
    const known = this.#watched.get(target.id);
    if (!known) {
      this.#watched.set(target.id, {
        snapshot,
        measures,
        facts: undefined,
        trend: [value],
        unknown,
        firstUs: snapshot.startUs,
        endedMs: undefined,
      });
      return;
    }
    known.snapshot = snapshot;
    known.measures = measures;
    known.unknown = unknown;
    // A new one each time: rows that were handed out keep theirs.
    known.trend = [...known.trend.slice(1 - TREND_LENGTH), value];
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
    return { rows, totals: this.#totals(rows), latest: this.#latest, skipped: this.skipped };
  }

  #row(
    id: number,
    { snapshot, measures, facts, trend, unknown: told, firstUs, endedMs }: Watched,
    weights: CostWeights,
  ): ProcessRow {
    const { target, endUs } = snapshot;
    const residentBytes = facts?.residentBytes ?? snapshot.residentBytes;
    const unknown = told ?? unknownOf(snapshot, snapshot.residentBytes ?? residentBytes);
    /** What is not resident (any longer) cannot be in use, nor be taken away. */
    const atMost = (bytes: number | undefined) =>
      unknown || bytes === undefined ? undefined : Math.min(bytes, residentBytes ?? Number.POSITIVE_INFINITY);
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
      unknown: unknown && whyUnknown(unknown),
      hasEnded,
      isMember: false,
      residentBytes,
      workingSetBytes: atMost(measures.workingSetBytes),
      hotBytes: atMost(measures.hotBytes),
      coldBytes: endUs - firstUs < COLD_US ? undefined : atMost(measures.coldBytes),
      unseenBytes: measures.unseenBytes,
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
        snapshot.check === 'referenced'
          ? (facts?.residentBytes ?? snapshot.residentBytes)
          : snapshot.columns.startPages.length;
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
    const known = running.filter(({ workingSetBytes }) => workingSetBytes !== undefined);
    const processes = running.length;
    const residentBytes = running.reduce((sum, row) => sum + (row.residentBytes ?? 0), 0);
    const sum = known.reduce((bytes, row) => bytes + row.workingSetBytes!, 0);
    const counts = { processes, unknown: running.filter(({ unknown }) => unknown !== undefined).length };
    const workingSetBytes = known.length > 0 || processes === 0 ? sum : undefined;
    const isUpperBound = processes > 1;
    const { sharing } = this;
    if (!sharing)
      return {
        ...counts,
        residentBytes,
        workingSetBytes,
        isUpperBound,
        isWorkingSetUpperBound: isUpperBound,
      };
    const isCounted = known.some(({ snapshot }) => snapshot.columns.accessedPages !== undefined);
    return {
      ...counts,
      residentBytes: sharing.sums.residentBytes,
      workingSetBytes:
        workingSetBytes === undefined
          ? undefined
          : isCounted
            ? Math.min(sum, sharing.sums.workingSetBytes)
            : sharing.sums.workingSetBytes,
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
