import type { ClockName } from './protocol.js';

/**
 * CLOCK_MONOTONIC in milliseconds: the same in all threads, as performance.now() is not. Optimised code keeps the pair
 * out of the heap where it is read by index; taking it apart by a pattern would allocate.
 */
export function monotonicMs(): number {
  const time = process.hrtime();
  return time[0] * 1e3 + time[1] / 1e6;
}

/** The monitor's time, in microseconds since it started. */
export interface Clock {
  nowUs(): number;
  /** Milliseconds until then, below 0 where it has passed. */
  msUntil(us: number): number;
  /** Whether there is nothing to sleep for: the time comes when it is reached. */
  readonly isVirtual: boolean;
  /** What monotonicMs shows then; undefined where nothing is waited for. */
  monotonicMsAt(us: number): number | undefined;
  /** Says that the work of this grid point begins. */
  reached(us: number): void;
  /** Begin of time, for records. */
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

/** Stands still while work is done, and is always there already: the same run every time. */
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
