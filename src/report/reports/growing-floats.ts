/** Numbers one after the other, as many as come, at 8 to 12 bytes each. */
export class GrowingFloats {
  #values = new Float64Array(16);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(Math.ceil(1.5 * this.#length));
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  /** A copy of all. */
  all(): Float64Array {
    return this.#values.slice(0, this.#length);
  }

  /** @param i below the length */
  at(i: number): number {
    return this.#values[i]!;
  }
}
