import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

const MOST = 256;

/** Pages whose answer was a surprise, to be looked at more closely: a fair choice of them where there are too many. */
export class Suspects {
  /** In all, also those that were not kept. */
  seen = 0;
  readonly pivot = new Float64Array(MOST);
  /** Where the next answers of the other kind were: the surprise may reach so far. */
  readonly start = new Float64Array(MOST);
  readonly end = new Float64Array(MOST);

  get count(): number {
    return Math.min(this.seen, MOST);
  }

  clear(): void {
    this.seen = 0;
  }

  add(pivot: number, start: number, end: number, random: RandomGenerator): void {
    const nth = this.seen++;
    const at = nth < MOST ? nth : Math.floor(uniformFloat64(random) * this.seen);
    if (at >= MOST) return;
    this.pivot[at] = pivot;
    this.start[at] = start;
    this.end[at] = end;
  }

  /** Leaves `count` of them, chosen fairly, in the order of their pages. */
  keep(count: number, random: RandomGenerator): void {
    let left = this.count;
    while (left > count) {
      const at = Math.floor(uniformFloat64(random) * left--);
      this.#copy(left, at);
    }
    for (let i = 1; i < left; i++) {
      const [pivot, start, end] = [this.pivot[i]!, this.start[i]!, this.end[i]!];
      let to = i;
      for (; to > 0 && this.pivot[to - 1]! > pivot; to--) this.#copy(to - 1, to);
      this.pivot[to] = pivot;
      this.start[to] = start;
      this.end[to] = end;
    }
    this.seen = left;
  }

  #copy(from: number, to: number): void {
    this.pivot[to] = this.pivot[from]!;
    this.start[to] = this.start[from]!;
    this.end[to] = this.end[from]!;
  }
}
