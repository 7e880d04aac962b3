import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { pageSize } from '../../src/kernel/page-size.js';
import type { SyntheticAccess, SyntheticSpec } from '../../src/sources/synthetic/spec.js';
import { SAMPLE_US, TICKS } from './intervals.js';

/** What an adaptation is tried on. */
export interface Pattern {
  readonly about: string;
  /** Whether what is accessed stays the same from the first aggregation to the last. */
  readonly isStationary: boolean;
  /** Whether each phase puts all that is hot elsewhere. */
  readonly moves?: boolean;
  /** Whether the program is given a processor only now and then: see `starved`. */
  readonly isStarved?: boolean;
  /** What is accessed, one element a phase, the first that holds a page counts; a phase lasts `phaseAggrs` aggregations. */
  readonly phases: (total: number, random: RandomGenerator, aggregations: number) => Access[][];
  readonly phaseAggrs: number;
}

/** Pages [start, end), each accessed in this share of the sampling intervals. */
export interface Access {
  readonly start: number;
  readonly end: number;
  readonly share: number;
}

const MIB = 2 ** 20 / pageSize();
const GIB = 1_024 * MIB;
const FOREVER = 1e9;
/** For so long, in sampling intervals, a starved program is not starved, and then is, in the mean; and so much it reads then, at most. */
const FED_TICKS = 60;
const STARVED_TICKS = 40;
const STARVED_PART = 0.8;

/** Lengths in pages. A range that would be too much of a small memory is made smaller. */
export const PATTERNS: Readonly<Record<string, Pattern>> = {
  sparse: stationary('a few hot ranges: 3 x 8 MiB up to 4 GiB, 4 x 100 MiB above', fewHot),
  moving: moving('the same, all of them elsewhere after every 100 aggregations', 1),
  roving: moving('as moving, each page accessed in four of five sampling intervals', 0.8),
  starved: {
    ...moving(
      'as moving, read in turn by a program that at times gets through no more than a part of it in a sampling interval',
      1,
    ),
    isStarved: true,
  },
  many: stationary('200 hot ranges of 16 MiB', (total, random) =>
    scattered(total, random, shares(200, 1), atMost(16 * MIB, total / 2_000)),
  ),
  warm: stationary(
    '2 ranges each at rates of 1, 0.5 and 0.2, of 100 MiB, on ground at 0.05',
    (total, random) => [
      ...scattered(total, random, [1, 1, 0.5, 0.5, 0.2, 0.2], atMost(100 * MIB, total / 64)),
      { start: 0, end: total, share: 0.05 },
    ],
  ),
  growing: {
    about: 'one range grows from 1/40 to its full length, one cools from 1 to 0 in ten steps',
    isStationary: false,
    phaseAggrs: 5,
    phases: (total, random, aggregations) => {
      const phases = Math.ceil(aggregations / 5);
      const [grows, cools] = scattered(total, random, [1, 1], atMost(512 * MIB, total / 16)) as [
        Access,
        Access,
      ];
      return times(phases, (i) => {
        const part = Math.min(1, (i + 1) / Math.min(40, phases));
        return [
          { ...grows, end: grows.start + Math.ceil((grows.end - grows.start) * part) },
          { ...cools, share: (10 - Math.floor((10 * i) / phases)) / 10 },
        ];
      });
    },
  },
  scan: {
    about: 'a window of 64 MiB that moves on by a quarter of itself every aggregation',
    isStationary: false,
    phaseAggrs: 1,
    phases: (total, random, aggregations) => {
      const length = atMost(64 * MIB, total / 64);
      const step = Math.ceil(length / 4);
      const first = Math.floor(uniformFloat64(random) * total);
      return times(aggregations, (i) => {
        const start = (first + i * step) % (total - length);
        return [{ start, end: start + length, share: 1 }];
      });
    },
  },
  zipf: stationary(
    'Zipf over pages in random order: the page of rank r at min(1, 100 / r)',
    (total, random) => {
      const pages = Math.min(2_000, Math.floor(total / 4));
      const ranks = times(pages, (i) => Math.min(1, 100 / (i + 1)));
      // Of the pages behind these, each by itself is met too rarely to tell it from their mean.
      const rest = (100 * Math.log(total / pages)) / (total - pages);
      return [...scattered(total, random, ranks, 1), { start: 0, end: total, share: Math.min(1, rest) }];
    },
  ),
  page: stationary('one hot page', (total, random) => scattered(total, random, [1], 1)),
  spots: stationary('4,000 hot spots of 4 pages', (total, random) =>
    scattered(total, random, shares(4_000, 1), 4),
  ),
  spans: stationary('6 hot spans of 8 MiB, 24 MiB apart', (total, random) => {
    const length = atMost(8 * MIB, total / 256);
    const [all] = scattered(total, random, [1], 21 * length) as [Access];
    return times(6, (i) => {
      const start = all.start + 4 * i * length;
      return { start, end: start + length, share: 1 };
    });
  }),
  idle: stationary('nothing accessed', () => []),
  busy: stationary('everything at 0.5', (total) => [{ start: 0, end: total, share: 0.5 }]),
};

/** What is accessed for a while. */
export interface TimedAccesses {
  readonly accesses: readonly Access[];
  readonly lastsUs: number;
}

/** What is accessed when: phase by phase, and of a starved program one sampling interval after the other. */
export function inTime(
  { isStarved, phaseAggrs }: Pattern,
  phases: readonly Access[][],
  random: RandomGenerator,
): TimedAccesses[] {
  const ticks = phaseAggrs * TICKS;
  if (!isStarved) return phases.map((accesses) => ({ accesses, lastsUs: ticks * SAMPLE_US }));
  let [isFed, reads] = [true, 0];
  return phases.flatMap((accesses) =>
    times(ticks, () => {
      if (uniformFloat64(random) * (isFed ? FED_TICKS : STARVED_TICKS) < 1) isFed = !isFed;
      const from = reads;
      reads = (from + (isFed ? 1 : STARVED_PART * uniformFloat64(random))) % 1;
      return { accesses: isFed ? accesses : [...part(accesses, from, reads)], lastsUs: SAMPLE_US };
    }),
  );
}

/** What is read of it by one who has read it up to `from`, and then up to `to`, shares of all pages: in turn, again and again. */
function* part(accesses: readonly Access[], from: number, to: number): Generator<Access> {
  const total = accesses.reduce((pages, { start, end }) => pages + end - start, 0);
  let before = 0;
  for (const access of accesses) {
    const at = (share: number) =>
      Math.max(access.start, Math.min(access.end, access.start + Math.round(share * total) - before));
    const pieces =
      from <= to
        ? [[at(from), at(to)]]
        : [
            [access.start, at(to)],
            [at(from), access.end],
          ];
    for (const [start, end] of pieces as [number, number][]) if (start < end) yield { ...access, start, end };
    before += access.end - access.start;
  }
}

/** The target that does this, from the address 0 on. */
export function syntheticOf(phases: readonly TimedAccesses[], totalPages: number): SyntheticSpec {
  const bytes = ({ start, end, share }: Access): SyntheticAccess => ({
    startAddress: start * pageSize(),
    sizeBytes: (end - start) * pageSize(),
    share,
  });
  const mappings = [{ startAddress: 0, sizeBytes: totalPages * pageSize() }];
  const made = phases.map(({ accesses, lastsUs }) => ({ lastsUs, accesses: accesses.map(bytes) }));
  return { phases: [{ ...made[0]!, mappings }, ...made.slice(1)] };
}

function stationary(about: string, accesses: (total: number, random: RandomGenerator) => Access[]): Pattern {
  return {
    about,
    isStationary: true,
    phaseAggrs: FOREVER,
    phases: (total, random) => [accesses(total, random)],
  };
}

function moving(about: string, share: number): Pattern {
  return {
    about,
    isStationary: false,
    moves: true,
    phaseAggrs: 100,
    phases: (total, random, aggregations) =>
      times(Math.ceil(aggregations / 100), () =>
        fewHot(total, random).map((access) => ({ ...access, share })),
      ),
  };
}

function fewHot(total: number, random: RandomGenerator): Access[] {
  return total <= 4 * GIB
    ? scattered(total, random, shares(3, 1), atMost(8 * MIB, total / 64))
    : scattered(total, random, shares(4, 1), 100 * MIB);
}

/** Ranges of one length, one for each share, anywhere; none overlap. */
function scattered(
  total: number,
  random: RandomGenerator,
  ranges: readonly number[],
  length: number,
): Access[] {
  // Cutting `length` out of the line for each range and choosing points on the rest makes every arrangement as likely.
  const points = ranges.map(() => Math.floor(uniformFloat64(random) * (total - ranges.length * length)));
  points.sort((a, b) => a - b);
  const order = ranges.map((share) => ({ share, at: uniformFloat64(random) })).sort((a, b) => a.at - b.at);
  return points.map((point, i) => {
    const start = point + i * length;
    return { start, end: start + length, share: order[i]!.share };
  });
}

function shares(count: number, share: number): number[] {
  return new Array<number>(count).fill(share);
}

function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

function atMost(pages: number, limit: number): number {
  return Math.max(1, Math.min(pages, Math.floor(limit)));
}
