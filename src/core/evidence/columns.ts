/** What a row of a table with evidence is for. */
export const RowKind = {
  /** Ground that is asked about evenly. */
  PLAIN: 0,
  /** Pages between two different regions: their boundary lies here. Nothing else is known of them. */
  EDGE: 1,
  /** A closer look around a page with a surprising answer, with more samples the closer to that page. */
  PROBE: 2,
} as const;
export type RowKind = (typeof RowKind)[keyof typeof RowKind];

/** In the pivot of a plain row: which of its ends are looked at closely. */
export const Ends = { START: -2, END: -3, BOTH: -4 } as const;

/** Answers kept for a row in an aggregation interval, at most. More would say little more about where its edges are. */
export const MAX_ANSWERS = 32;

const NUMBERS = 9;
const COUNTS = 3;

/** Bytes of the columns for one row. */
export function evidenceBytes(answers: number): number {
  return answers === 0 ? 0 : (NUMBERS + answers) * 8 + COUNTS * 4;
}

/** The columns of a table for adaptations that use where a sample was taken and what it answered. In shared memory. */
export interface EvidenceColumns {
  /** Answers that each row has room for. */
  readonly answersPerRegion: number;
  /** Hits and samples behind a row's rate, from aggregation intervals before this one; old ones fade. */
  readonly hits: Float64Array;
  readonly trials: Float64Array;
  /** The latest of these, while they lean to one side of the others (learn.ts). */
  readonly pendingHits: Float64Array;
  readonly pendingTrials: Float64Array;
  /** The page that a PROBE looks around; in other rows one of Ends, or -1. */
  readonly pivot: Float64Array;
  /** Standard deviation of where the row starts, in pages; in reported rows. */
  readonly deviation: Float64Array;
  /** How many pages of the row may be accessed unlike the rest of it (root mean square); in reported rows. */
  readonly unlike: Float64Array;
  /** Hits and samples of each cell (learn.ts): not of rows, but of equal parts of all pages, as many as there may be rows. */
  readonly cellHits: Float64Array;
  readonly cellTrials: Float64Array;
  /**
   * The answers of this aggregation interval, `answersPerRegion` a row, in the order of their places in it: page + 1 for a
   * hit, -(page + 1) for a miss, 0 where nothing was asked.
   */
  readonly answers: Float64Array;
  /** How many samples the row gets in an aggregation interval. */
  readonly planned: Uint32Array;
  /** Where the answer of this tick goes, from the row's first place on; NO_PLACE if the row is not asked. */
  readonly place: Uint32Array;
  readonly kind: Uint32Array;
}

export const NO_PLACE = 2 ** 32 - 1;

/** A page number that means: this row is not asked in this tick. */
export const NOT_ASKED = -1;
