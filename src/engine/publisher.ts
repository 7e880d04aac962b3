import type { MessagePort } from 'node:worker_threads';
import { snapshotColumns } from '../core/aggregate.js';
import type { MonitorStats } from '../core/stats.js';
import type { Gate } from './gate.js';
import type { FromCoordinator } from './protocol.js';
import type { WatchedTarget } from './watched-target.js';

/** Sends to the main thread what is seen. Snapshots are transferred, not copied, and never more than are wanted. */
export class Publisher {
  constructor(
    readonly gate: Gate,
    readonly port: MessagePort,
    readonly queueLimit: number,
  ) {}

  /** Whether the user is so far behind that a snapshot would have to be dropped. */
  get isFull(): boolean {
    return this.gate.untaken >= this.queueLimit;
  }

  /** Whether so many more snapshots would all be taken; always true for a reader who has taken everything. */
  hasRoomFor(snapshots: number): boolean {
    const { untaken } = this.gate;
    return untaken === 0 || untaken + snapshots <= this.queueLimit;
  }

  snapshot(
    target: WatchedTarget,
    times: { startUs: number; endUs: number; maxNrAccesses: number },
    stats: MonitorStats,
  ): void {
    const columns = snapshotColumns(target.table).startPages.buffer as ArrayBuffer;
    this.gate.sent();
    this.send({ type: 'snapshot', targetId: target.info.id, ...times, stats, columns }, [columns]);
  }

  send(message: FromCoordinator, transfer: ArrayBuffer[] = []): void {
    this.port.postMessage(message, transfer);
  }
}
