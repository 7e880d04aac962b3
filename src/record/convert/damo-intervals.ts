import { type Attrs, DEFAULT_ATTRS, maxNrAccesses } from '../../core/attrs.js';
import { type DamoSnapshot, microsecondsOf, nanosecondsOf, numberOf } from './damo.js';

// Which intervals the snapshots of a damo file were made in. Files made from a trace do not state them, and `damo adjust` leaves
// the old ones.

export type StatedIntervals = Readonly<Record<'sample_us' | 'aggr_us' | 'ops_update_us', unknown>>;

/** Enough for a quartile; a file may have millions of snapshots. */
const MAX_DURATIONS = 4_096;

/** Counts that exceed aggregation / sampling by this factor were made in other intervals than the entry states. */
const CONTRADICTION = 1.5;

const MAX_NOTES = 10;

/** What the snapshots of entries tell about the intervals in which they were made. */
export class IntervalFacts {
  largestCount = 0;
  readonly #durationsUs: number[] = [];
  /** Sampling intervals per snapshot, of snapshots that state the former. */
  readonly #counts: number[] = [];

  /** Ignores invalid snapshots: they are refused when they are read. */
  add({ start_time, end_time, regions, sample_interval_us: own }: Partial<DamoSnapshot>): void {
    try {
      const us = Number(nanosecondsOf(end_time) - nanosecondsOf(start_time)) / 1e3;
      if (us > 0 && this.#durationsUs.length < MAX_DURATIONS) {
        this.#durationsUs.push(us);
        if (isGiven(own)) this.#counts.push(us / microsecondsOf(own));
      }
      for (const { nr_accesses } of regions ?? []) {
        if (isGiven(nr_accesses.samples))
          this.largestCount = Math.max(this.largestCount, numberOf(nr_accesses.samples));
      }
    } catch {}
  }

  addAll(other: IntervalFacts): void {
    this.largestCount = Math.max(this.largestCount, other.largestCount);
    this.#durationsUs.push(...other.#durationsUs);
    this.#counts.push(...other.#counts);
  }

  /**
   * The aggregation interval is the lower quartile of the snapshots' durations: those after a late or missing snapshot are
   * longer. It has as many sampling intervals as the largest count, but at least 20, as in the kernel's defaults and its own
   * tuning: with a smaller count, nothing was accessed all the time.
   *
   * @param sampleUs if it is known
   */
  intervals(sampleUs?: number): Attrs {
    const aggrUs = lowerQuartile(this.#durationsUs) ?? DEFAULT_ATTRS.aggrUs;
    const stated = sampleUs
      ? aggrUs / sampleUs
      : (lowerQuartile(this.#counts) ?? maxNrAccesses(DEFAULT_ATTRS));
    const count = Math.max(this.largestCount, Math.round(stated));
    const sample = Math.max(1, Math.round(aggrUs / count));
    return { ...DEFAULT_ATTRS, sampleUs: sample, aggrUs: sample * count };
  }
}

function lowerQuartile(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[values.length >> 2];
}

interface Entry {
  readonly facts: IntervalFacts;
  intervals?: StatedIntervals | null;
}

/**
 * The intervals of each entry; those that do not state any share the same ones.
 *
 * @param entries may have holes
 * @throws SyntaxError
 */
export function intervalsOf<T extends Entry>(
  entries: readonly T[],
  note: (text: string) => void,
): Map<T, Attrs> {
  const all = new Map<T, Attrs>();
  const unstated: T[] = [];
  const unstatedFacts = new IntervalFacts();
  let contradicted = 0;
  for (const [index, entry] of entries.entries()) {
    if (!entry) continue;
    const { facts, intervals } = entry;
    if (!intervals) {
      unstated.push(entry);
      unstatedFacts.addAll(facts);
      continue;
    }
    let attrs = statedIntervals(intervals, index);
    if (facts.largestCount > CONTRADICTION * maxNrAccesses(attrs)) {
      attrs = { ...facts.intervals(attrs.sampleUs), updateUs: attrs.updateUs };
      if (++contradicted <= MAX_NOTES)
        note(`the counts contradict the intervals in the file: ${assuming(attrs)}`);
    }
    all.set(entry, attrs);
  }
  if (unstated.length === 0) return all;
  const attrs = unstatedFacts.intervals();
  for (const entry of unstated) all.set(entry, attrs);
  note(`the file does not state its intervals: ${assuming(attrs)}`);
  return all;
}

function statedIntervals(intervals: StatedIntervals, entry: number): Attrs {
  try {
    const us = (value: unknown) => Math.round(microsecondsOf(value));
    const { sample_us, aggr_us, ops_update_us } = intervals;
    return { ...DEFAULT_ATTRS, sampleUs: us(sample_us), aggrUs: us(aggr_us), updateUs: us(ops_update_us) };
  } catch (error) {
    throw new SyntaxError(`intervals of entry ${entry}: ${(error as Error).message}`, { cause: error });
  }
}

function assuming({ sampleUs, aggrUs }: Attrs): string {
  const derivation = 'derived from the durations of the snapshots and the largest access count';
  return `assuming ${sampleUs / 1e3} ms and ${aggrUs / 1e3} ms, ${derivation}`;
}

export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
