import type { Monitor } from '../engine/monitor.js';
import { formatDue } from '../report/units.js';

/** When the first snapshot is due: an aggregation interval after the start, or after other intervals came into force. */
export class FirstSnapshot {
  #dueUs: number;

  constructor(readonly monitor: Pick<Monitor, 'attrs' | 'targets' | 'startedMonotonicNs' | 'on'>) {
    this.#dueUs = monitor.attrs.aggrUs;
    monitor.on('attrs', ({ atUs, attrs }) => {
      this.#dueUs = atUs + attrs.aggrUs;
    });
  }

  /** Microseconds from now; 0 if it is overdue. */
  get inUs(): number {
    const elapsedUs = Number(process.hrtime.bigint() - BigInt(this.monitor.startedMonotonicNs)) / 1e3;
    return Math.max(0, this.#dueUs - elapsedUs);
  }

  /** For a status line that is kept up to date. */
  waitingText(): string {
    const what =
      this.monitor.targets.length === 0
        ? 'waiting for a process to watch'
        : `waiting for the first snapshot, ${formatDue(this.inUs)}`;
    return `${what}; Ctrl-C ends it`;
  }
}
