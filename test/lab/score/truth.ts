/** What a workload does with a range of its memory, as its line says (workloads/common.h). */
export type Kind = 'hot' | 'cold' | 'warm' | 'unsampled';

export interface TruthRange {
  /** Bytes [start, end). */
  readonly start: number;
  readonly end: number;
  readonly kind: Kind;
  /** Of a warm range: each of its pages is accessed once in this time. */
  readonly everyMs?: number;
}

/** What is true from one moment to another, in microseconds of CLOCK_MONOTONIC. */
export interface Phase {
  readonly fromUs: number;
  readonly untilUs: number;
  readonly ranges: readonly TruthRange[];
}

interface TruthLine {
  readonly pid: number;
  readonly atNs: string;
  readonly phaseEnds?: number;
  readonly ranges?: readonly { start: string; end: string; kind: Kind; everyMs?: number }[];
}

/** The processes that a workload's lines tell of, in the order in which it told of them. */
export function pidsOf(lines: readonly unknown[]): number[] {
  return [...new Set((lines as TruthLine[]).map(({ pid }) => pid))];
}

/** The phases of one process. Each lasts until the workload says that it ends or the next one begins, the last for ever. */
export function phasesOf(lines: readonly unknown[], pid = pidsOf(lines)[0]): Phase[] {
  const told = (lines as TruthLine[]).filter(
    (line) => line.pid === pid && (line.ranges ?? line.phaseEnds) !== undefined,
  );
  return told.flatMap(({ atNs, ranges }, i) => {
    if (!ranges) return [];
    return {
      fromUs: Number(atNs) / 1e3,
      untilUs: Number(told[i + 1]?.atNs ?? Number.POSITIVE_INFINITY) / 1e3,
      ranges: ranges.map(({ start, end, ...more }) => ({
        start: Number.parseInt(start, 16),
        end: Number.parseInt(end, 16),
        ...more,
      })),
    };
  });
}

export function bytesOf(ranges: readonly TruthRange[], kind: Kind): number {
  return ranges.reduce((sum, range) => sum + (range.kind === kind ? range.end - range.start : 0), 0);
}
