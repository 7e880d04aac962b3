import type { TargetInfo } from '../../core/target.js';
import type { Observation } from '../source/observation.js';
import { type Unknown, unknownOf, whyUnknown } from '../unknown.js';
import { sharedFileBytes } from './others.js';
import { type ProcessSummary, processSummary, type Report, Span } from './report.js';
import { type OverTime, Series, type Spread, sumOf } from './series.js';
import { WarmUp } from './warm-up.js';

export interface WssOptions {
  /** Regions with at least this access share, 0 .. 1, are in the working set; 0: with any access. */
  readonly minAccessShare: number;
  /** Of what is told over time; by default a 60th of the whole. */
  readonly stepUs?: number;
}

/** A working set and what it is a part of, in bytes. */
export interface WorkingSet {
  /** Null where samples hardly ever meet memory, so that nothing is known. */
  readonly bytes: Spread | null;
  /** Mean over time, and its 95th percentile, which p95 of a working set never exceeds; null where it was not read. */
  readonly residentBytes: number | null;
  readonly residentP95Bytes: number | null;
  /** Between which the mean is, by the 95 % intervals of its snapshots; null where the record does not carry them. */
  readonly interval: { readonly lowBytes: number; readonly highBytes: number } | null;
  /** Of the mean, what lies in mappings of files, which others may have accessed; null where accesses are not counted by mapping. */
  readonly sharedFileBytes: number | null;
  /** Mean of the memory that the check cannot see, which is in no working set; null where that is not known. */
  readonly unseenBytes: number | null;
  readonly overTime: OverTime;
}

/** What is told of one process beside its working set. */
export interface WssProcess extends ProcessSummary, WorkingSet {
  /** Left out at the start, as its regions were still being found; 0 if nothing was. */
  readonly warmUpUs: number;
  /** False if they were until the end: nothing is left out then. */
  readonly isSettled: boolean;
  /** Why nothing is known of it, if that is so. */
  readonly unknown: string | null;
}

export interface WssResult {
  readonly minAccessShare: number;
  /** Whether the source counts accessed bytes by mapping, once a snapshot: no share of samples means anything then. */
  readonly isCounted: boolean;
  /** Whether it says what of the regions is resident: older records do not, and count whole regions. */
  readonly isResidentKnown: boolean;
  /** At each moment the sum of the processes that are watched then; null without a snapshot. */
  readonly all: WorkingSet | null;
  readonly processes: readonly WssProcess[];
}

/** What is summed over processes. */
const QUANTITIES = [
  'bytes',
  'lowBytes',
  'highBytes',
  'residentBytes',
  'sharedFileBytes',
  'unseenBytes',
] as const;
type Quantities = Record<(typeof QUANTITIES)[number], Series>;

interface WatchedProcess extends Quantities {
  readonly target: TargetInfo;
  span: Span;
  readonly warmUp: WarmUp;
  /** Of the latest snapshot of which nothing is known. */
  unknown: Unknown | undefined;
}

const DEFAULT_STEPS = 60;
/** More would be a record again, not a report. */
const MAX_STEPS = 100_000;

/** The working set: percentiles, and over time, of each process and of all. */
export class WssReport implements Report<WssResult> {
  readonly #processes = new Map<number, WatchedProcess>();
  readonly #span = new Span();
  #isCounted = false;
  #isResidentKnown = true;

  constructor(readonly options: WssOptions) {}

  add({ snapshot, mappings, residentBytes }: Observation): void {
    const { target, startUs, endUs, maxNrAccesses, columns } = snapshot;
    let process = this.#processes.get(target.id);
    if (!process) {
      process = freshProcess(target);
      this.#processes.set(target.id, process);
    }
    this.#span.add(startUs, endUs);
    if (process.warmUp.add(snapshot)) {
      process.span = new Span();
      for (const quantity of QUANTITIES) process[quantity].clear();
    }
    process.span.add(startUs, endUs);
    this.#isCounted ||= columns.accessedPages !== undefined;
    this.#isResidentKnown &&= columns.residentPages !== undefined;
    const resident = snapshot.residentBytes ?? residentBytes;
    const unknown = unknownOf(snapshot, resident);
    process.residentBytes.add(startUs, endUs, resident ?? Number.NaN);
    process.unseenBytes.add(startUs, endUs, columns.unseenPages ? snapshot.unseenBytes() : Number.NaN);
    if (unknown) {
      process.unknown = unknown;
      for (const quantity of ['bytes', 'lowBytes', 'highBytes', 'sharedFileBytes'] as const)
        process[quantity].add(startUs, endUs, Number.NaN);
      return;
    }
    // Without what rounding adds: 7 % of 100 are 7.000000000000001.
    const minNrAccesses = Math.max(1, Math.ceil(this.options.minAccessShare * maxNrAccesses - 1e-9));
    const estimate = snapshot.workingSet(minNrAccesses);
    process.bytes.add(startUs, endUs, estimate?.bytes ?? snapshot.workingSetBytes(minNrAccesses));
    process.lowBytes.add(startUs, endUs, estimate?.lowBytes ?? Number.NaN);
    process.highBytes.add(startUs, endUs, estimate?.highBytes ?? Number.NaN);
    process.sharedFileBytes.add(startUs, endUs, sharedFileBytes(snapshot, mappings) ?? Number.NaN);
  }

  result(): WssResult {
    const { minAccessShare } = this.options;
    const all = [...this.#processes.values()];
    const processes = all.map((process): WssProcess => {
      const { target, span, warmUp, unknown } = process;
      const workingSet = this.#workingSet(process, unknown !== undefined);
      return {
        ...processSummary(target, span),
        warmUpUs: warmUp.us,
        isSettled: warmUp.isSettled,
        unknown: workingSet.bytes || !unknown ? null : whyUnknown(unknown),
        ...workingSet,
      };
    });
    const result = { minAccessShare, isCounted: this.#isCounted, isResidentKnown: this.#isResidentKnown };
    if (all.length === 0) return { ...result, all: null, processes };
    const sum = (quantity: keyof Quantities, isKnown = true) =>
      isKnown ? sumOf(all.map((process) => process[quantity])) : new Series();
    const known = processes.filter(({ unknown }) => unknown === null);
    const hasIntervals = known.every(({ interval }) => interval !== null);
    const sums = {
      bytes: sum('bytes'),
      lowBytes: sum('lowBytes', hasIntervals),
      highBytes: sum('highBytes', hasIntervals),
      residentBytes: sum(
        'residentBytes',
        processes.every(({ residentBytes }) => residentBytes !== null),
      ),
      sharedFileBytes: sum('sharedFileBytes'),
      unseenBytes: sum('unseenBytes'),
    };
    return { ...result, all: this.#workingSet(sums, known.length === 0), processes };
  }

  #workingSet(series: Quantities, isUnknown: boolean): WorkingSet {
    const { startUs, us } = this.#span;
    const stepUs = Math.max(this.options.stepUs ?? us / DEFAULT_STEPS, us / MAX_STEPS, 1);
    const steps = Math.max(1, Math.ceil(us / stepUs));
    const [low, high] = [series.lowBytes.spread(), series.highBytes.spread()];
    const resident = series.residentBytes.spread();
    return {
      bytes: series.bytes.spread() ?? (isUnknown ? null : NOTHING),
      residentBytes: resident?.mean ?? null,
      residentP95Bytes: resident?.p95 ?? null,
      interval: low && high ? { lowBytes: low.mean, highBytes: high.mean } : null,
      sharedFileBytes: series.sharedFileBytes.spread()?.mean ?? null,
      unseenBytes: series.unseenBytes.spread()?.mean ?? null,
      overTime: series.bytes.overTime(startUs, stepUs, steps),
    };
  }
}

function freshProcess(target: TargetInfo): WatchedProcess {
  return {
    target,
    span: new Span(),
    warmUp: new WarmUp(),
    unknown: undefined,
    bytes: new Series(),
    lowBytes: new Series(),
    highBytes: new Series(),
    residentBytes: new Series(),
    sharedFileBytes: new Series(),
    unseenBytes: new Series(),
  };
}

/** Of snapshots that took no time at all. */
const NOTHING: Spread = { mean: 0, min: 0, p5: 0, p25: 0, p50: 0, p75: 0, p95: 0, p99: 0, max: 0 };
