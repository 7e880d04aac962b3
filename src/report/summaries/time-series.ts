/** A power of 2. */
const CHUNK = 512;

/** A list of numbers at 8 bytes each. It grows in chunks, because there may be thousands of lists. */
export class GrowingFloats {
  readonly #chunks = [new Float64Array(16)];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    const i = this.#length++;
    const chunk = Math.floor(i / CHUNK);
    if (chunk === this.#chunks.length) this.#chunks.push(new Float64Array(CHUNK));
    else if (i === this.#chunks[0]!.length && chunk === 0) this.#growFirst();
    this.#chunks[chunk]![i % CHUNK] = value;
  }

  /** Keeps the memory. */
  clear(): void {
    this.#length = 0;
  }

  /** A copy of all. */
  all(): Float64Array {
    const values = new Float64Array(this.#length);
    for (let i = 0; i < this.#length; i += CHUNK) {
      values.set(this.#chunks[i / CHUNK]!.subarray(0, this.#length - i), i);
    }
    return values;
  }

  /** @param i below the length */
  at(i: number): number {
    return this.#chunks[Math.floor(i / CHUNK)]![i % CHUNK]!;
  }

  /** Most lists are short. */
  #growFirst(): void {
    const [first] = this.#chunks;
    this.#chunks[0] = new Float64Array(2 * first!.length);
    this.#chunks[0].set(first!);
  }
}

/** A quantity over time; percentiles are weighted by how long each value held. */
export interface Spread {
  readonly mean: number;
  readonly min: number;
  readonly p5: number;
  readonly p25: number;
  readonly p50: number;
  readonly p75: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Means of a quantity in equal steps of time. */
export interface OverTime {
  readonly startUs: number;
  readonly stepUs: number;
  /** Null if not known. */
  readonly values: readonly (number | null)[];
}

/**
 * A quantity over time: a value holds until the next one starts, the last one until the end. NaN is unknown. It takes two
 * numbers per value, because a record may have millions of them.
 */
export class TimeSeries {
  readonly #startsUs = new GrowingFloats();
  readonly #values = new GrowingFloats();
  endUs = 0;

  /** @param startUs not before that of the last value, else it counts as the same */
  add(startUs: number, endUs: number, value: number): void {
    const last = this.length - 1;
    this.endUs = Math.max(this.endUs, endUs);
    if (last >= 0 && Object.is(value, this.value(last))) return;
    this.#startsUs.push(last < 0 ? startUs : Math.max(startUs, this.startUs(last)));
    this.#values.push(value);
  }

  /** Keeps the memory. */
  clear(): void {
    this.#startsUs.clear();
    this.#values.clear();
    this.endUs = 0;
  }

  get length(): number {
    return this.#values.length;
  }

  startUs(i: number): number {
    return this.#startsUs.at(i);
  }

  value(i: number): number {
    return this.#values.at(i);
  }

  /** The end of value i. */
  untilUs(i: number): number {
    return i + 1 < this.length ? this.startUs(i + 1) : Math.max(this.endUs, this.startUs(i));
  }

  /** Undefined if no value is known for any time. */
  spread(): Spread | undefined {
    const known = new Uint32Array(this.length);
    let count = 0;
    let totalUs = 0;
    let sum = 0;
    for (let i = 0; i < this.length; i++) {
      const us = this.untilUs(i) - this.startUs(i);
      if (Number.isNaN(this.value(i)) || us <= 0) continue;
      known[count++] = i;
      totalUs += us;
      sum += this.value(i) * us;
    }
    if (count === 0) return undefined;
    const order = known.subarray(0, count).sort((a, b) => this.value(a) - this.value(b));
    let at = 0;
    let passedUs = this.untilUs(order[0]!) - this.startUs(order[0]!);
    /** The smallest value that holds, with all smaller ones, for this share of the time. */
    const next = (share: number) => {
      while (at + 1 < count && passedUs < share * totalUs) {
        at++;
        passedUs += this.untilUs(order[at]!) - this.startUs(order[at]!);
      }
      return this.value(order[at]!);
    };
    return {
      mean: sum / totalUs,
      min: this.value(order[0]!),
      p5: next(0.05),
      p25: next(0.25),
      p50: next(0.5),
      p75: next(0.75),
      p95: next(0.95),
      p99: next(0.99),
      max: this.value(order[count - 1]!),
    };
  }

  /** @param count of steps from `startUs` on */
  overTime(startUs: number, stepUs: number, count: number): OverTime {
    const sums = new Float64Array(count);
    const knownUs = new Float64Array(count);
    for (let i = 0; i < this.length; i++) {
      const value = this.value(i);
      if (Number.isNaN(value)) continue;
      let fromUs = Math.max(startUs, this.startUs(i));
      const untilUs = Math.min(startUs + count * stepUs, this.untilUs(i));
      let step = Math.floor((fromUs - startUs) / stepUs);
      for (; fromUs < untilUs && step < count; step++) {
        const stepEndUs = Math.min(untilUs, startUs + (step + 1) * stepUs);
        sums[step]! += value * (stepEndUs - fromUs);
        knownUs[step]! += stepEndUs - fromUs;
        fromUs = stepEndUs;
      }
    }
    const values = Array.from(sums, (sum, step) => (knownUs[step]! > 0 ? sum / knownUs[step]! : null));
    return { startUs, stepUs, values };
  }
}

/** The sum at each moment of the values that are known then; unknown if none is. */
export function sumOf(all: Iterable<TimeSeries>): TimeSeries {
  // Sums of 1, 2, 4, ... series, like the bits of a counter. Most series change at the same moments, so a sum is about as
  // long as one of them: each is read only a few times, and few sums are kept.
  const sums: (TimeSeries | undefined)[] = [];
  const free: TimeSeries[] = [];
  for (const series of all) {
    let sum = series;
    let bit = 0;
    for (; sums[bit]; bit++) {
      const parts = [sums[bit]!, sum] as const;
      sum = plus(...parts, free.pop());
      sums[bit] = undefined;
      if (bit > 0) free.push(...parts); // the first are those that are summed up
    }
    sums[bit] = sum;
  }
  let total: TimeSeries | undefined;
  for (const sum of sums) if (sum) total = total ? plus(sum, total) : sum;
  return total ?? new TimeSeries();
}

/** @param sum is overwritten */
function plus(a: TimeSeries, b: TimeSeries, sum = new TimeSeries()): TimeSeries {
  sum.clear();
  let [ofA, ofB] = [Number.NaN, Number.NaN];
  for (let i = 0, j = 0; i <= a.length || j <= b.length; ) {
    const atUs = Math.min(changeUs(a, i), changeUs(b, j));
    for (; changeUs(a, i) === atUs; i++) ofA = i < a.length ? a.value(i) : Number.NaN;
    for (; changeUs(b, j) === atUs; j++) ofB = j < b.length ? b.value(j) : Number.NaN;
    sum.add(atUs, atUs, Number.isNaN(ofA) ? ofB : Number.isNaN(ofB) ? ofA : ofA + ofB);
  }
  return sum;
}

/** When value i starts; after the last one the end, and then never. */
function changeUs(series: TimeSeries, i: number): number {
  if (i < series.length) return series.startUs(i);
  return i === series.length ? series.endUs : Number.POSITIVE_INFINITY;
}
