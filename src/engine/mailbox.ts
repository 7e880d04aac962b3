const CALLS = 0;
const UNTAKEN = 1;

/**
 * What the main thread and the coordinator tell each other without messages: that a call was posted, and how many snapshots
 * are waiting for the reader.
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

  /** Coordinator: sleeps until there are more calls than `answered`, or `timeoutMs` have passed. True if there are. */
  sleep(answered: number, timeoutMs: number): boolean {
    return Atomics.wait(this.words, CALLS, answered, timeoutMs) !== 'timed-out';
  }

  /** Coordinator: snapshots that were sent and that the reader has not taken. */
  get untaken(): number {
    return Atomics.load(this.words, UNTAKEN);
  }

  sent(snapshots: number): void {
    Atomics.add(this.words, UNTAKEN, snapshots);
  }

  /** Coordinator: waits until a snapshot is taken, or `timeoutMs` have passed. */
  awaitTaken(untaken: number, timeoutMs: number): void {
    Atomics.wait(this.words, UNTAKEN, untaken, timeoutMs);
  }

  /** Main thread: the reader has taken a snapshot. */
  taken(): void {
    Atomics.sub(this.words, UNTAKEN, 1);
    Atomics.notify(this.words, UNTAKEN);
  }
}
