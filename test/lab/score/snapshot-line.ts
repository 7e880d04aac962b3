import type { Snapshot } from '../../../src/core/snapshot.js';
import type { SnapshotLine } from '../../../src/record/format.js';

/** A snapshot in the form of a record, its times by CLOCK_MONOTONIC. */
export function lineOf(snapshot: Snapshot, monitorStartUs: number): SnapshotLine {
  const { target, startUs, endUs, maxNrAccesses, regions } = snapshot;
  return {
    type: 'snapshot',
    target: target.id,
    startUs: startUs + monitorStartUs,
    endUs: endUs + monitorStartUs,
    maxNrAccesses,
    regions: regions.map(({ startAddress, endAddress, nrAccesses, age }) => [
      startAddress.toString(16),
      endAddress.toString(16),
      nrAccesses,
      age,
    ]),
  };
}
