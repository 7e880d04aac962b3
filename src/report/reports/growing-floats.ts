/** A power of 2. */
const CHUNK = 512;

/** Numbers one after the other, as many as come, at 8 bytes each: in chunks, for there may be thousands of such rows. */
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

  /** Most rows are short. */
  #growFirst(): void {
    const [first] = this.#chunks;
    this.#chunks[0] = new Float64Array(2 * first!.length);
    this.#chunks[0].set(first!);
  }
}
