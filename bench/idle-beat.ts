import { Worker } from 'node:worker_threads';

const PROGRAM = `
  const { parentPort, workerData: { beatMs, missed } } = require('node:worker_threads');
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  for (let due = performance.now() + beatMs; ; due += beatMs) {
    Atomics.wait(asleep, 0, 0, Math.max(0, due - performance.now()));
    for (; performance.now() > due + beatMs; due += beatMs) missed[0]++;
  }
`;

/** How often a thread that only sleeps from beat to beat sleeps through one: what the machine takes from anybody. */
export class IdleBeat {
  readonly #missed = new Int32Array(new SharedArrayBuffer(4));
  readonly #thread: Worker;

  constructor(beatMs: number) {
    this.#thread = new Worker(PROGRAM, { eval: true, workerData: { beatMs, missed: this.#missed } });
  }

  /** Beats that it has slept through so far. */
  get missed(): number {
    return this.#missed[0]!;
  }

  async end(): Promise<void> {
    await this.#thread.terminate();
  }
}
