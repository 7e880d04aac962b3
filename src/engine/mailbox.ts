const CALLS = 0;
const UNTAKEN = 1;

/**
 * Shared words between the main thread and the coordinator, instead of messages: the number of calls posted, and of snapshots
 * that wait for the reader.
 */
export class Mailbox {
  static readonly WORDS = 2;

  constructor(readonly words: Int32Array) {}

  /** Main thread: a call was posted. The coordinator may be asleep for seconds. */
  ring(): void {
    Atomics.add(this.words, CALLS, 1);
    this.wake();
  }

  /** Wakes the coordinator without a call. */
  wake(): void {
    Atomics.notify(this.words, CALLS);
  }

  /** Coordinator: the calls made so far. */
  get calls(): number {
    return Atomics.load(this.words, CALLS);
  }

  /** Coordinator: sleeps until the number of calls is not `answered`, or for `timeoutMs`. @returns whether a call was made */
  sleep(answered: number, timeoutMs: number): boolean {
    return Atomics.wait(this.words, CALLS, answered, timeoutMs) !== 'timed-out';
  }

  /** Coordinator: snapshots sent but not yet taken by the reader. */
  get untaken(): number {
    return Atomics.load(this.words, UNTAKEN);
  }

  sent(snapshots: number): void {
    Atomics.add(this.words, UNTAKEN, snapshots);
  }

  /** Coordinator: waits until a snapshot is taken, or for `timeoutMs`. */
  awaitTaken(untaken: number, timeoutMs: number): void {
    Atomics.wait(this.words, UNTAKEN, untaken, timeoutMs);
  }

  /** Main thread: the reader has taken a snapshot. */
  taken(): void {
    Atomics.sub(this.words, UNTAKEN, 1);
    Atomics.notify(this.words, UNTAKEN);
  }
}
