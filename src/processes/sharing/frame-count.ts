import { EXCLUSIVE, frameOfHalves, isPresentIn, OF_FILE } from '../../kernel/pagemap.js';
import { FrameSet } from './frame-set.js';
import type { NobodysFrames } from './nobodys-frames.js';
import { indexAbove, type PageVisitor } from './pages.js';

/** Pages between two spans that are rather read again than skipped by another call. */
const JOINED_GAP_PAGES = 256;

/**
 * The first pass: counts the pages of one target after the other, and every frame once.
 *
 * Whether a frame is another target's as well is known only when all have been seen. So the first pass notes which
 * frames several targets have, and where in a target there are pages that others may map (bit 56 says that they
 * cannot: nearly all of most processes); a second one reads these places again (SharedCount). That is cheaper than
 * remembering whose each frame is, which takes 32 times the memory, or than reading everything twice.
 */
export class FrameCount implements PageVisitor {
  /** Frames of all targets so far. */
  readonly resident = new FrameSet();
  /** Frames in their working sets. */
  readonly working = new FrameSet();
  /** Frames of more than one target. */
  readonly several = new FrameSet();
  /** Frames that the current target was the first to have, and may share: it can map them twice by itself. */
  readonly #own = new FrameSet();
  #workingSet: ArrayLike<number> = [];

  residentPages = 0;
  workingSetPages = 0;
  /** Where the current target has pages that others may map: [start, end) pairs. */
  spans: number[] = [];

  /** First frame that is not the machine's memory. */
  endFrame = 0;

  constructor(readonly nobodys: NobodysFrames) {}

  get allocatedBytes(): number {
    const sets = [this.resident, this.working, this.several, this.#own];
    return sets.reduce((sum, set) => sum + set.allocatedBytes, 0);
  }

  clear(): void {
    for (const set of [this.resident, this.working, this.several]) set.clear();
  }

  /** From now on pages are those of another target. */
  begin(workingSet: ArrayLike<number>): void {
    this.#own.clear();
    this.#workingSet = workingSet;
    this.residentPages = 0;
    this.workingSetPages = 0;
    this.spans = [];
  }

  visit(halves: Int32Array, first: number, count: number): number {
    let present = 0;
    for (let from = 0; from < count; ) {
      const edge = indexAbove(this.#workingSet, first + from);
      const to = edge < this.#workingSet.length ? Math.min(count, this.#workingSet[edge]! - first) : count;
      present += this.#count(halves, first, from, to, edge % 2 === 1);
      from = to;
    }
    return present;
  }

  /** Pages that are all in the working set, or all not. Hot: a few ns a page. */
  #count(halves: Int32Array, first: number, from: number, to: number, isWorking: boolean): number {
    let [present, counted] = [0, 0];
    let [firstMaybe, lastMaybe] = [-1, -1];
    for (let i = from; i < to; i++) {
      const high = halves[2 * i + 1]!;
      if (!isPresentIn(high)) continue;
      present++;
      const frame = frameOfHalves(halves[2 * i]!, high);
      if (frame >= this.endFrame) continue;
      if ((high & EXCLUSIVE) !== 0) {
        this.resident.add(frame);
      } else {
        if ((high & OF_FILE) === 0 && this.nobodys.has(frame)) continue;
        if (this.nobodys.hasHuge(first + i, frame)) continue;
        if (this.resident.add(frame)) this.#own.add(frame);
        else if (!this.#own.has(frame)) this.several.add(frame);
        if (firstMaybe < 0) firstMaybe = i;
        lastMaybe = i;
      }
      counted++;
      if (isWorking) this.working.add(frame);
    }
    this.residentPages += counted;
    if (isWorking) this.workingSetPages += counted;
    if (firstMaybe >= 0) this.#note(first + firstMaybe, first + lastMaybe + 1);
    return present;
  }

  #note(start: number, end: number): void {
    const last = this.spans.length - 1;
    const before = this.spans[last];
    if (before !== undefined && start >= before && start - before <= JOINED_GAP_PAGES) this.spans[last] = end;
    else this.spans.push(start, end);
  }
}

/** The second pass: counts the pages of a target whose frames several targets have. */
export class SharedCount implements PageVisitor {
  pages = 0;

  constructor(readonly several: FrameSet) {}

  visit(halves: Int32Array, _first: number, count: number): number {
    let present = 0;
    for (let i = 0; i < count; i++) {
      const high = halves[2 * i + 1]!;
      if (!isPresentIn(high)) continue;
      present++;
      if ((high & EXCLUSIVE) !== 0) continue;
      if (this.several.has(frameOfHalves(halves[2 * i]!, high))) this.pages++;
    }
    return present;
  }
}
