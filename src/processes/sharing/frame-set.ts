/** Frames that one part of the set speaks for: 4 KiB of bits for 128 MiB of memory in pages of 4 KiB. */
const PART_ORDER = 15;
const PART_FRAMES = 2 ** PART_ORDER;
const PART_WORDS = PART_FRAMES / 32;

/**
 * A set of frame numbers (0 .. 2^40) with a bit a frame, in parts that are made when first needed and kept: machines
 * have holes of terabytes between the memories of their nodes. 64 GiB of memory take 2 MiB at most. Adding and asking
 * cost a few ns while frames lie near each other, and allocate nothing once the parts are there; clearing costs what was
 * added and nothing for the rest of the machine.
 */
export class FrameSet {
  readonly #parts: (Uint32Array | undefined)[] = [];
  /** The parts that hold something, each once. */
  readonly #used: number[] = [];
  readonly #isUsed: boolean[] = [];
  /** The part last added to. */
  #index = -1;
  #part: Uint32Array = new Uint32Array(0);
  #size = 0;

  /** How many frames the set has. */
  get size(): number {
    return this.#size;
  }

  /** Memory the set has taken, in bytes. */
  get allocatedBytes(): number {
    return this.#parts.reduce((sum, part) => sum + (part?.byteLength ?? 0), 0);
  }

  /** Adds a frame; whether it is new. Hot: once a page. */
  add(frame: number): boolean {
    const index = partOf(frame);
    if (index !== this.#index) this.#open(index);
    const part = this.#part;
    const at = (frame & (PART_FRAMES - 1)) >>> 5;
    const word = part[at]!;
    const added = word | (1 << (frame & 31));
    if (added === (word | 0)) return false;
    part[at] = added;
    this.#size++;
    return true;
  }

  /** Hot: once a shared page. */
  has(frame: number): boolean {
    const part = this.#parts[partOf(frame)];
    return part !== undefined && (part[(frame & (PART_FRAMES - 1)) >>> 5]! & (1 << (frame & 31))) !== 0;
  }

  /** Takes all frames out, and keeps the memory. */
  clear(): void {
    for (const index of this.#used) {
      this.#parts[index]!.fill(0);
      this.#isUsed[index] = false;
    }
    this.#used.length = 0;
    this.#index = -1;
    this.#size = 0;
  }

  #open(index: number): void {
    let part = this.#parts[index];
    if (part === undefined) {
      part = new Uint32Array(PART_WORDS);
      // Without holes, or V8 would make a slow dictionary of the array.
      while (this.#parts.length <= index) this.#isUsed[this.#parts.push(undefined) - 1] = false;
      this.#parts[index] = part;
    }
    if (!this.#isUsed[index]) {
      this.#isUsed[index] = true;
      this.#used.push(index);
    }
    this.#index = index;
    this.#part = part;
  }
}

/** Below 8 TiB of memory all is done in small integers, which is several times as fast. */
function partOf(frame: number): number {
  return frame < 2 ** 31 ? frame >>> PART_ORDER : Math.floor(frame / PART_FRAMES);
}
