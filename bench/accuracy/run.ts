import type { AdaptationName } from '../../src/core/adaptation.js';
import { RandomStreams, randomFrom } from '../../src/core/random.js';
import { pageSize } from '../../src/kernel/page-size.js';
import { TICKS } from './intervals.js';
import { inTime, PATTERNS, syntheticOf } from './patterns.js';
import { hotRanges, pagesIn } from './score.js';
import { Simulation } from './simulation.js';
import { type Outcome, Tally } from './tally.js';

export interface Run {
  readonly pattern: string;
  readonly totalBytes: number;
  readonly adaptation: AdaptationName;
  /** The budget: samples in an aggregation interval. */
  readonly samplesPerAggregation: number;
  readonly seed: number;
  readonly aggregations: number;
}

export interface Result extends Run, Outcome {
  /** In the last aggregation. */
  readonly hotBytes: number;
  /** Used in an aggregation interval: the mean, and the most. */
  readonly samples: number;
  readonly mostSamples: number;
}

export function runOnce(run: Run): Result {
  const { aggregations, adaptation, samplesPerAggregation } = run;
  const pattern = PATTERNS[run.pattern]!;
  const totalPages = run.totalBytes / pageSize();
  const streams = new RandomStreams(run.seed);
  const random = randomFrom(streams.next());
  const phases = pattern.phases(totalPages, random, aggregations);
  const spec = syntheticOf(inTime(pattern, phases, random), totalPages);
  const simulation = new Simulation(spec, totalPages, adaptation, samplesPerAggregation, streams);
  const tally = new Tally(aggregations, totalPages, TICKS);
  let [samples, mostSamples, hotPages] = [0, 0, 0];
  for (let a = 0; a < aggregations; a++) {
    const columns = simulation.aggregate();
    samples += simulation.samples;
    mostSamples = Math.max(mostSamples, simulation.samples);
    if (pattern.moves && a > 0 && a % pattern.phaseAggrs === 0) tally.moved();
    const hot = hotRanges(phases[Math.floor(a / pattern.phaseAggrs)]!);
    hotPages = pagesIn(hot);
    tally.add(columns, hot);
  }
  return {
    ...run,
    hotBytes: hotPages * pageSize(),
    ...tally.outcome(),
    samples: samples / aggregations,
    mostSamples,
  };
}
