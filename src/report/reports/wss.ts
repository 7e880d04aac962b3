import type { TargetInfo } from '../../core/target.js';
import type { Observation } from '../source/observation.js';
import { type ProcessSummary, processSummary, type Report, Span } from './report.js';
import { type OverTime, Series, type Spread, sumOf } from './series.js';

export interface WssOptions {
  /** Regions with at least this access share, 0 .. 1, are in the working set; 0: with any access. */
  readonly minAccessShare: number;
  /** Of what is told over time; by default a 60th of the whole. */
  readonly stepUs?: number;
}

/** A working set and what it is a part of, in bytes. */
export interface WorkingSet {
  readonly bytes: Spread;
  /** Mean over time; null where it was not read. */
  readonly residentBytes: number | null;
  /** Between which the mean is, by the 95 % intervals of its snapshots; null where the record does not carry them. */
  readonly interval: { readonly lowBytes: number; readonly highBytes: number } | null;
  readonly overTime: OverTime;
}

export interface WssResult {
  readonly minAccessShare: number;
  /** At each moment the sum of the processes that are watched then; null without a snapshot. */
  readonly all: WorkingSet | null;
  readonly processes: readonly (ProcessSummary & WorkingSet)[];
}

interface WatchedProcess {
  readonly target: TargetInfo;
  readonly span: Span;
  readonly bytes: Series;
  readonly lowBytes: Series;
  readonly highBytes: Series;
  readonly residentBytes: Series;
}

/** What is summed over processes. */
type Quantity = 'bytes' | 'lowBytes' | 'highBytes' | 'residentBytes';

const DEFAULT_STEPS = 60;
/** More would be a record again, not a report. */
const MAX_STEPS = 100_000;

/** The working set: percentiles, and over time, of each process and of all. */
export class WssReport implements Report<WssResult> {
  readonly #processes = new Map<number, WatchedProcess>();
  readonly #span = new Span();

  constructor(readonly options: WssOptions) {}

  add({ snapshot, residentBytes }: Observation): void {
    const { target, startUs, endUs, maxNrAccesses } = snapshot;
    let process = this.#processes.get(target.id);
    if (!process) {
      process = {
        target,
        span: new Span(),
        bytes: new Series(),
        lowBytes: new Series(),
        highBytes: new Series(),
        residentBytes: new Series(),
      };
      this.#processes.set(target.id, process);
    }
    this.#span.add(startUs, endUs);
    process.span.add(startUs, endUs);
    // Without what rounding adds: 7 % of 100 are 7.000000000000001.
    const minNrAccesses = Math.max(1, Math.ceil(this.options.minAccessShare * maxNrAccesses - 1e-9));
    const estimate = snapshot.workingSet(minNrAccesses);
    process.bytes.add(startUs, endUs, estimate?.bytes ?? snapshot.workingSetBytes(minNrAccesses));
    process.lowBytes.add(startUs, endUs, estimate?.lowBytes ?? Number.NaN);
    process.highBytes.add(startUs, endUs, estimate?.highBytes ?? Number.NaN);
    process.residentBytes.add(startUs, endUs, residentBytes ?? Number.NaN);
  }

  result(): WssResult {
    const { minAccessShare } = this.options;
    const all = [...this.#processes.values()];
    const processes = all.map((process) => ({
      ...processSummary(process.target, process.span),
      ...this.#workingSet(process),
    }));
    if (all.length === 0) return { minAccessShare, all: null, processes };
    const sum = (quantity: Quantity, isKnown = true) =>
      isKnown ? sumOf(all.map((process) => process[quantity])) : new Series();
    const hasIntervals = processes.every(({ interval }) => interval !== null);
    const sums = {
      bytes: sum('bytes'),
      lowBytes: sum('lowBytes', hasIntervals),
      highBytes: sum('highBytes', hasIntervals),
      residentBytes: sum(
        'residentBytes',
        processes.every(({ residentBytes }) => residentBytes !== null),
      ),
    };
    return { minAccessShare, all: this.#workingSet(sums), processes };
  }

  #workingSet({ bytes, lowBytes, highBytes, residentBytes }: Record<Quantity, Series>): WorkingSet {
    const { startUs, us } = this.#span;
    const stepUs = Math.max(this.options.stepUs ?? us / DEFAULT_STEPS, us / MAX_STEPS, 1);
    const steps = Math.max(1, Math.ceil(us / stepUs));
    const [low, high] = [lowBytes.spread(), highBytes.spread()];
    return {
      bytes: bytes.spread() ?? NOTHING,
      residentBytes: residentBytes.spread()?.mean ?? null,
      interval: low && high ? { lowBytes: low.mean, highBytes: high.mean } : null,
      overTime: bytes.overTime(startUs, stepUs, steps),
    };
  }
}

/** Of snapshots that took no time at all. */
const NOTHING: Spread = { mean: 0, min: 0, p5: 0, p25: 0, p50: 0, p75: 0, p95: 0, p99: 0, max: 0 };
