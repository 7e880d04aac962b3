import type { MessagePort } from 'node:worker_threads';
import { columnSetOf, snapshotColumns } from '../core/snapshot-columns.js';
import type { MonitorStats } from '../core/stats.js';
import type { Mailbox } from './mailbox.js';
import type { FromCoordinator, PublishedTarget } from './protocol.js';
import type { Target } from './target.js';

/** Sends snapshots and events to the main thread. Transfers snapshots without copying, never more than the queue may hold. */
export class Publisher {
  constructor(
    readonly mailbox: Mailbox,
    readonly port: MessagePort,
    readonly queueLimit: number,
  ) {}

  /** How many snapshots can be sent; further ones must be dropped, because the reader is too far behind. */
  get room(): number {
    return Math.max(0, this.queueLimit - this.mailbox.untaken);
  }

  /** Whether this many more snapshots fit into the queue. Always true if the reader has taken everything. */
  hasRoomFor(snapshots: number): boolean {
    const { untaken } = this.mailbox;
    return untaken === 0 || untaken + snapshots <= this.queueLimit;
  }

  /** Sends all snapshots of an aggregation interval in one message: with many targets, messages would be most of the cost. */
  snapshots(
    targets: readonly Target[],
    times: { endUs: number; maxNrAccesses: number },
    stats: MonitorStats,
  ): void {
    if (targets.length === 0) return;
    const published = targets.map((target): PublishedTarget => {
      const { info, table, presence, startUs, settling, layout } = target;
      return {
        id: info.id,
        startUs,
        residentBytes: table.residentBytes || undefined,
        isSettling: settling.isSettling,
        columnSets: columnSetOf(table, layout),
        columns: snapshotColumns(table, presence, layout).startPages.buffer as ArrayBuffer,
      };
    });
    this.mailbox.sent(targets.length);
    this.send(
      { type: 'snapshots', ...times, stats, targets: published },
      published.map(({ columns }) => columns),
    );
  }

  send(message: FromCoordinator, transfer: ArrayBuffer[] = []): void {
    this.port.postMessage(message, transfer);
  }
}
