/**
 * Calls into another thread that wait for an answer. If that thread ends, none comes, so they are rejected. Not by
 * Promise.race: a promise of the thread's end would keep a reference to every call.
 */
export class PendingCalls {
  readonly #rejects = new Set<(reason: unknown) => void>();

  /** The answer, or the reason given to `reject` if that comes first. */
  wait<T>(answer: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#rejects.add(reject);
      answer.then(resolve, reject).finally(() => this.#rejects.delete(reject));
    });
  }

  reject(reason: unknown): void {
    for (const reject of this.#rejects) reject(reason);
  }
}
