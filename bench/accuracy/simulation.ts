import type {
  Adaptation,
  AdaptationLimits,
  AdaptationName,
  AdaptedTarget,
} from '../../src/core/adaptation.js';
import { resetAggregated } from '../../src/core/aggregate.js';
import { createAdaptation } from '../../src/core/create-adaptation.js';
import { EvidenceRecorder } from '../../src/core/evidence/recorder.js';
import { initRegions } from '../../src/core/init.js';
import { type RandomStreams, randomFrom } from '../../src/core/random.js';
import { RegionTable } from '../../src/core/region-table.js';
import type { SnapshotColumns } from '../../src/core/snapshot-columns.js';
import { snapshotColumns } from '../../src/core/snapshot-columns.js';
import { SAMPLES } from '../../src/sources/page-check.js';
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
  readonly #targets: readonly AdaptedTarget[];
  readonly #check: SyntheticCheck;
  readonly #counters = { counts: new Float64Array(2) };
  readonly #recorder: EvidenceRecorder | undefined;
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
    this.#check = new SyntheticCheck(spec, randomFrom(streams.next()), this.#counters);
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
    this.#recorder = table.evidence && new EvidenceRecorder(table);
    this.#targets = [{ table, random }];
  }

  /** One aggregation interval. */
  aggregate(): SnapshotColumns {
    const { table, limits } = this;
    const before = this.#counters.counts[SAMPLES]!;
    for (let tick = 0; tick < TICKS; tick++) {
      const nowUs = (this.#aggregations * TICKS + tick) * SAMPLE_US;
      this.#check.prepareAccessChecks(table, nowUs);
      this.#recorder?.before();
      this.#check.checkAccesses(table, nowUs);
      this.#recorder?.after();
    }
    this.#aggregations++;
    this.samples = this.#counters.counts[SAMPLES]! - before;
    this.#adaptation.merge(this.#targets, limits);
    const columns = snapshotColumns(table);
    resetAggregated(table);
    this.#adaptation.split(this.#targets, limits);
    return columns;
  }
}
