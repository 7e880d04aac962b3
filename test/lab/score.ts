import type { SnapshotLine } from '../../src/record/format.js';

/** What a workload says of itself, in bytes. */
export interface Truth {
  readonly start: number;
  readonly end: number;
  readonly hotStart: number;
  readonly hotEnd: number;
}

export interface Score {
  /** Of the bytes that were called hot, the share that is. */
  readonly precision: number;
  /** Of the bytes that are hot, the share that was called so. */
  readonly recall: number;
  readonly snapshots: number;
}

/** Hot is what was accessed in at least a tenth of the samples. Scored by bytes, inside the workload's own mapping. */
export function score(snapshots: Iterable<SnapshotLine>, { start, end, hotStart, hotEnd }: Truth): Score {
  let [said, hit, hot, count] = [0, 0, 0, 0];
  for (const { regions, maxNrAccesses } of snapshots) {
    count++;
    hot += hotEnd - hotStart;
    for (const [regionStart, regionEnd, nrAccesses] of regions) {
      if (nrAccesses < maxNrAccesses / 10) continue;
      const from = Math.max(start, Number.parseInt(regionStart, 16));
      const to = Math.min(end, Number.parseInt(regionEnd, 16));
      said += Math.max(0, to - from);
      hit += Math.max(0, Math.min(to, hotEnd) - Math.max(from, hotStart));
    }
  }
  return { precision: hit / said, recall: hit / hot, snapshots: count };
}
