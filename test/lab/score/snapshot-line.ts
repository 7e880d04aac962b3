import type { Snapshot } from '../../../src/core/snapshot.js';
import { type SnapshotLine, snapshotLine } from '../../../src/record/format.js';

/** A snapshot in the form of a record, its times by CLOCK_MONOTONIC. */
export function lineOf(snapshot: Snapshot, monitorStartUs: number): SnapshotLine {
  const line = JSON.parse(snapshotLine(snapshot)) as SnapshotLine;
  return { ...line, startUs: line.startUs + monitorStartUs, endUs: line.endUs + monitorStartUs };
}
