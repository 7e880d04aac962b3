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

  /** How many snapshots can be sent before the user is too far behind: further ones have to be dropped. */
  get room(): number {
    return Math.max(0, this.queueLimit - this.gate.untaken);
  }

  /** Whether so many more snapshots would all be taken; always true for a reader who has taken everything. */
  hasRoomFor(snapshots: number): boolean {
    const { untaken } = this.gate;
    return untaken === 0 || untaken + snapshots <= this.queueLimit;
  }

  /** All of an aggregation interval in one message: of many targets, what a message costs is most of it. */
  snapshots(
    targets: readonly WatchedTarget[],
    times: { startUs: number; endUs: number; maxNrAccesses: number },
    stats: MonitorStats,
  ): void {
    const targetIds = targets.map(({ info }) => info.id);
    const columns = targets.map(({ table }) => snapshotColumns(table).startPages.buffer as ArrayBuffer);
    this.gate.sent(targets.length);
    const hasEvidence = targets[0]?.table.evidence !== undefined;
    this.send({ type: 'snapshots', ...times, stats, targetIds, columns, hasEvidence }, columns);
  }

  send(message: FromCoordinator, transfer: ArrayBuffer[] = []): void {
    this.port.postMessage(message, transfer);
  }
}
