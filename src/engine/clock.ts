import type { ClockName } from './protocol.js';

/**
 * CLOCK_MONOTONIC in milliseconds. Unlike performance.now(), it is the same in all threads. Optimised code does not allocate
 * the pair if it is read by index; destructuring would allocate.
 */
export function monotonicMs(): number {
  const time = process.hrtime();
  return time[0] * 1e3 + time[1] / 1e6;
}

/** The monitor's time, in microseconds since it started. */
export interface Clock {
  nowUs(): number;
  /** Milliseconds until this time; negative if it has passed. */
  msUntil(us: number): number;
  /** On virtual time nothing sleeps: time jumps to the next tick. */
  readonly isVirtual: boolean;
  /** The value of monotonicMs at this time; undefined on virtual time. */
  monotonicMsAt(us: number): number | undefined;
  /** Reports that the work of this tick starts. */
  reached(us: number): void;
  /** When time started, for records. */
  readonly startedAt: string;
  readonly startedMonotonicNs: string;
}

export function startClock(name: ClockName): Clock {
  return name === 'real' ? new RealClock() : new VirtualClock();
}

class RealClock implements Clock {
  readonly isVirtual = false;
  readonly startedAt = new Date().toISOString();
  readonly startedMonotonicNs = process.hrtime.bigint().toString();
  readonly #startMs = monotonicMs();

  nowUs(): number {
    return Math.round((monotonicMs() - this.#startMs) * 1_000);
  }

  msUntil(us: number): number {
    return us / 1_000 - (monotonicMs() - this.#startMs);
  }

  monotonicMsAt(us: number): number {
    return this.#startMs + us / 1_000;
  }

  reached(): void {}
}

/** Stands still during work and jumps from tick to tick, so that every run is the same. */
class VirtualClock implements Clock {
  readonly isVirtual = true;
  readonly startedAt = new Date(0).toISOString();
  readonly startedMonotonicNs = '0';
  #nowUs = 0;

  nowUs(): number {
    return this.#nowUs;
  }

  msUntil(us: number): number {
    return Math.max(0, us - this.#nowUs) / 1_000;
  }

  monotonicMsAt(): undefined {
    return undefined;
  }

  reached(us: number): void {
    this.#nowUs = us;
  }
}
