import type { WatchCost } from '../machine/protocol.js';
import type { Score } from './score.js';

/** The figures of a scenario, for its line in the report. */
export function scoreText({ precision, recall, workingSetError, snapshots }: Score): string {
  return (
    `precision ${precision.toFixed(4)}, recall ${recall.toFixed(4)}, working set off by ` +
    `${(100 * workingSetError).toFixed(1)} %, ${snapshots} snapshots`
  );
}

/** Precision and recall, as cells of a table; nothing where there was no snapshot. */
export function accuracyCells({ precision, recall }: Pick<Score, 'precision' | 'recall'>): string[] {
  return [precision, recall].map((figure) => (Number.isNaN(figure) ? '' : figure.toFixed(3)));
}

export function costText({ cpuPercent, usPerSample, ticksMade }: WatchCost): string {
  return (
    `${Math.round(100 * ticksMade)} % of ticks made, ${cpuPercent.toFixed(0)} % of an emulated processor, ` +
    `${usPerSample.toFixed(0)} us a sample`
  );
}
