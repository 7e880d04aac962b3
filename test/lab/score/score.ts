import type { SnapshotLine } from '../../../src/record/format.js';
import { bytesOf, type Phase, type TruthRange } from './truth.js';

/** How well snapshots show what a workload does, in bytes, inside the ranges that its truth names. */
export interface Score {
  /** Of the bytes that were said to be hot, the share that is. */
  readonly precision: number;
  /** Of the bytes that are hot, the share that was said to be. */
  readonly recall: number;
  /** By how much the working set that was said is off, as a share of what it is; the mean over snapshots. */
  readonly workingSetError: number;
  readonly snapshots: number;
}

/** Bytes of one snapshot. */
interface Said {
  readonly hot: number;
  readonly rightly: number;
}

/** Hot is what was found accessed in at least this share of the samples. */
const HOT_SHARE = 0.1;

/**
 * Scores the snapshots whose interval lies inside a phase, from `settleUs` after its begin on: an interval across a
 * change shows neither what was nor what is.
 */
export function score(snapshots: readonly SnapshotLine[], phases: readonly Phase[], settleUs = 0): Score {
  let [said, rightly, hot, error, count] = [0, 0, 0, 0, 0];
  for (const snapshot of snapshots) {
    const phase = phases.find(
      ({ fromUs, untilUs }) => fromUs + settleUs <= snapshot.startUs && snapshot.endUs <= untilUs,
    );
    if (!phase) continue;
    const bytes = bytesOf(phase.ranges, 'hot');
    const it = saidOf(snapshot, phase.ranges);
    said += it.hot;
    rightly += it.rightly;
    hot += bytes;
    error += Math.abs(it.hot - bytes) / bytes;
    count++;
  }
  return {
    precision: rightly / said,
    recall: rightly / hot,
    workingSetError: error / count,
    snapshots: count,
  };
}

/** The regions have to be found first: what is seen in this time after a target was attached is left out. */
const FINDING_US = 3e6;

/** As `score`, of what was seen once the regions had been found: `findingUs` after the first snapshot began. */
export function scoreFound(
  snapshots: readonly SnapshotLine[],
  phases: readonly Phase[],
  settleUs = 0,
  findingUs = FINDING_US,
): Score {
  const from = (snapshots[0]?.startUs ?? 0) + findingUs;
  return score(
    snapshots.filter(({ startUs }) => startUs >= from),
    phases,
    settleUs,
  );
}

/** The score of several recordings of the same, each of the same weight. */
export function meanOf(scores: readonly Score[]): Score {
  const mean = (name: keyof Score) => scores.reduce((sum, score) => sum + score[name], 0) / scores.length;
  return {
    precision: mean('precision'),
    recall: mean('recall'),
    workingSetError: mean('workingSetError'),
    snapshots: scores.reduce((sum, { snapshots }) => sum + snapshots, 0),
  };
}

/**
 * How long after each phase change the picture had caught up with it: the end of the first snapshot that has at least
 * nine tenths of both precision and recall. In milliseconds; infinite where it never did.
 */
export function lagsMs(snapshots: readonly SnapshotLine[], phases: readonly Phase[]): number[] {
  return phases.slice(1).map(({ fromUs, untilUs, ranges }) => {
    const caughtUp = snapshots.find((snapshot) => {
      if (snapshot.endUs <= fromUs || snapshot.endUs > untilUs) return false;
      const { hot, rightly } = saidOf(snapshot, ranges);
      return rightly >= 0.9 * hot && rightly >= 0.9 * bytesOf(ranges, 'hot');
    });
    return caughtUp ? (caughtUp.endUs - fromUs) / 1e3 : Number.POSITIVE_INFINITY;
  });
}

/** The mean share of samples that found a range accessed, weighted by bytes and snapshots; NaN where none covers it. */
export function shareOf(snapshots: readonly SnapshotLine[], { start, end }: TruthRange): number {
  let [accessed, bytes] = [0, 0];
  for (const { regions, maxNrAccesses } of snapshots) {
    for (const [from, to, nrAccesses] of regions) {
      const size = overlap(Number.parseInt(from, 16), Number.parseInt(to, 16), start, end);
      accessed += (size * nrAccesses) / maxNrAccesses;
      bytes += size;
    }
  }
  return accessed / bytes;
}

function saidOf({ regions, maxNrAccesses }: SnapshotLine, ranges: readonly TruthRange[]): Said {
  let [hot, rightly] = [0, 0];
  for (const [start, end, nrAccesses] of regions) {
    if (nrAccesses < maxNrAccesses * HOT_SHARE) continue;
    const [from, to] = [Number.parseInt(start, 16), Number.parseInt(end, 16)];
    for (const range of ranges) {
      const bytes = overlap(from, to, range.start, range.end);
      hot += bytes;
      if (range.kind === 'hot') rightly += bytes;
    }
  }
  return { hot, rightly };
}

function overlap(startA: number, endA: number, startB: number, endB: number): number {
  return Math.max(0, Math.min(endA, endB) - Math.max(startA, startB));
}
