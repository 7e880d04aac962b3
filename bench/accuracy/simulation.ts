import type { Adaptation, AdaptationLimits, AdaptationName } from '../../src/core/adaptation.js';
import { createAdaptation } from '../../src/core/create-adaptation.js';
import {
  type AggregatedTarget,
  aggregate,
  count,
  prepare,
  type SampledTarget,
} from '../../src/core/cycle.js';
import { type RandomStreams, randomFrom } from '../../src/core/random.js';
import { RegionTable } from '../../src/core/region-table.js';
import { initRegions } from '../../src/core/regions.js';
import { Samples } from '../../src/core/sampling.js';
import { Presence, type SnapshotColumns, snapshotColumns } from '../../src/core/snapshot-columns.js';
import { SyntheticCheck } from '../../src/sources/synthetic/check.js';
import type { SyntheticSpec } from '../../src/sources/synthetic/spec.js';
import { SAMPLE_US, TICKS } from './intervals.js';

export const MIN_REGIONS = 10;
/** Regions that there may be where the number of samples does not follow from it. */
const MAX_REGIONS = 1_000;

/** The core as a monitor runs it, with one synthetic target, without threads and as fast as it goes. */
export class Simulation {
  readonly table: RegionTable;
  readonly limits: AdaptationLimits;
  /** Samples of the last aggregation interval. */
  samples = 0;
  readonly #adaptation: Adaptation;
  readonly #target: AggregatedTarget;
  readonly #sampled: SampledTarget;
  #aggregations = 0;

  /** @param samples in an aggregation interval, at most; the kernel's way asks each region in every tick */
  constructor(
    spec: SyntheticSpec,
    totalPages: number,
    adaptation: AdaptationName,
    samples: number,
    streams: RandomStreams,
  ) {
    const random = randomFrom(streams.next());
    const sampling = randomFrom(streams.next());
    const check = new SyntheticCheck(spec, sampling);
    this.#adaptation = createAdaptation(adaptation);
    const regions = Math.max(2 * MIN_REGIONS, Math.floor(samples / TICKS));
    this.limits = {
      minRegions: MIN_REGIONS,
      maxRegions: adaptation === 'damon' ? regions : Math.max(MAX_REGIONS, regions),
      maxNrAccesses: TICKS,
      maxSamples: samples,
    };
    const { maxRegions } = this.limits;
    const table = RegionTable.forLimits(MIN_REGIONS, maxRegions, this.#adaptation.answersPerRegion);
    table.maxNrAccesses = TICKS;
    table.setRanges(Float64Array.of(0, totalPages));
    initRegions(table, MIN_REGIONS);
    this.table = table;
    this.#sampled = { samples: new Samples(table), check, random: sampling, salt: 0 };
    this.#target = { table, random, ticks: 0, presence: new Presence() };
  }

  /** One aggregation interval. */
  aggregate(): SnapshotColumns {
    const { table, limits } = this;
    this.samples = 0;
    for (let tick = 0; tick < TICKS; tick++) {
      const nowUs = (this.#aggregations * TICKS + tick) * SAMPLE_US;
      prepare(this.#sampled, nowUs);
      count(this.#sampled, nowUs);
      this.samples += table.asked;
    }
    this.#aggregations++;
    this.#target.ticks = TICKS;
    let columns: SnapshotColumns | undefined;
    aggregate([this.#target], TICKS, this.#adaptation, limits, () => {
      columns = snapshotColumns(table);
    });
    return columns!;
  }
}
