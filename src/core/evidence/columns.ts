/** What a row of a table with evidence is for. */
export const RowKind = {
  /** Ground to be asked about evenly. */
  PLAIN: 0,
  /** Between a region and a different one: their boundary lies in it. Nothing else is known of it. */
  EDGE: 1,
  /** A closer look around a page whose answer was a surprise: asked about ever more densely towards that page. */
  PROBE: 2,
} as const;
export type RowKind = (typeof RowKind)[keyof typeof RowKind];

/** In the place of a pivot, the ends of an even row that are looked at closely. */
export const Ends = { START: -2, END: -3, BOTH: -4 } as const;

/** Answers that are kept for a row in an aggregation interval, at most: more would tell little more of where its edges are. */
export const MAX_ANSWERS = 32;

const NUMBERS = 9;
const COUNTS = 3;

/** Bytes that the columns need for a row. */
export function evidenceBytes(answers: number): number {
  return answers === 0 ? 0 : (NUMBERS + answers) * 8 + COUNTS * 4;
}

/** The columns of a table for adaptations that use where a sample was taken and what it said. In shared memory. */
export interface EvidenceColumns {
  /** Answers that each row has room for. */
  readonly answersPerRegion: number;
  /** Accesses and samples behind a row's rate, from aggregation intervals before this one; old ones fade. */
  readonly hits: Float64Array;
  readonly trials: Float64Array;
  /** The latest of these, which lean away from the rest (trend.ts). */
  readonly pendingHits: Float64Array;
  readonly pendingTrials: Float64Array;
  /** The page that a PROBE looks around; in other rows one of Ends, or -1. */
  readonly pivot: Float64Array;
  /** Standard deviation of where the row begins, in pages; in reported rows. */
  readonly deviation: Float64Array;
  /** How many pages of the row may be accessed unlike the rest of it (root of the mean square); in reported rows. */
  readonly unlike: Float64Array;
  /** Hits and samples of each cell (cells.ts): not of rows, but of equal parts of all pages, as many as there may be rows. */
  readonly cellHits: Float64Array;
  readonly cellTrials: Float64Array;
  /**
   * The answers of this aggregation interval, `answersPerRegion` a row, in the order of their places in it: page + 1
   * where it was accessed, -(page + 1) where not, 0 where nothing was asked.
   */
  readonly answers: Float64Array;
  /** How many samples the row gets in an aggregation interval. */
  readonly planned: Uint32Array;
  /** Where the answer of this tick goes, from the row's first place on; NO_PLACE where the row is not asked in it. */
  readonly place: Uint32Array;
  readonly kind: Uint32Array;
}

export const NO_PLACE = 2 ** 32 - 1;

/** A page number that says: this row is not asked in this tick. */
export const NOT_ASKED = -1;
