import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { NOT_ASKED } from '../../core/evidence/columns.js';
import { threeRanges } from '../../core/ranges.js';
import { type RegionTable, TargetStatus } from '../../core/region-table.js';
import { pickSamples } from '../../core/sampling.js';
import { pageSize } from '../../kernel/page-size.js';
import type { AccessCheck, CheckCounters, TargetIdentity } from '../page-check.js';
import { SAMPLES } from '../page-check.js';
import { type SyntheticPhase, type SyntheticRange, type SyntheticSpec, validateSynthetic } from './spec.js';

/** Checks a scripted address space: no kernel, any size, and the same every time with the same random numbers. */
export class SyntheticCheck implements AccessCheck {
  readonly delivers = 'pages';
  readonly name = 'synthetic';
  readonly target: TargetIdentity;
  readonly #phases: readonly CompiledPhase[];
  readonly #periodUs: number;
  #lastUs = Number.POSITIVE_INFINITY;

  /** @throws PagepulseError `ATTRS` */
  constructor(
    readonly spec: SyntheticSpec,
    readonly random: RandomGenerator,
    readonly counters: CheckCounters,
    bytesPerPage = pageSize(),
  ) {
    validateSynthetic(spec, bytesPerPage);
    this.target = { pid: 0, startTime: '0', comm: spec.name ?? 'synthetic', cmdline: [] };
    let mapped: Float64Array = new Float64Array(0);
    this.#phases = spec.phases.map((phase) => {
      if (phase.mappings) mapped = pairsOf(phase.mappings, bytesPerPage);
      return compile(phase, mapped, bytesPerPage);
    });
    this.#periodUs = spec.phases.reduce((sum, phase) => sum + phase.lastsUs, 0);
  }

  prepareAccessChecks(table: RegionTable, nowUs: number): void {
    const { fault, endsUs } = this.spec;
    // A sampler that takes over starts behind it.
    if (fault && fault.atUs > 0 && nowUs >= fault.atUs && (fault.always || this.#lastUs < fault.atUs))
      suffer(fault.kind);
    this.#lastUs = nowUs;
    if (endsUs !== undefined && nowUs >= endsUs) table.status = TargetStatus.STALE;
    pickSamples(table, this.random);
  }

  /** Once a tick and target, some 20 ns a region: regions and ranges are both in address order. */
  checkAccesses(table: RegionTable, nowUs: number): void {
    const { starts, ends, shares, mapped } = this.#phaseAt(nowUs);
    const { samplePage, count } = table;
    countMapped(table, mapped);
    let r = 0;
    for (let i = 0; i < count; i++) {
      const page = samplePage[i]!;
      while (r < ends.length && ends[r]! <= page) r++;
      if (r === ends.length) break;
      if (starts[r]! <= page && uniformFloat64(this.random) < shares[r]!) table.countAccess(i);
    }
    this.counters.counts[SAMPLES]! += table.asked;
  }

  updateRanges(table: RegionTable, nowUs: number): void {
    if (this.spec.fault?.atUs === 0) suffer(this.spec.fault.kind);
    if (this.spec.endsUs !== undefined && nowUs >= this.spec.endsUs) {
      table.status = TargetStatus.GONE;
      return;
    }
    table.setRanges(threeRanges(this.#phaseAt(nowUs).mapped));
    table.status = TargetStatus.OK;
  }

  close(): void {}

  #phaseAt(nowUs: number): CompiledPhase {
    let left = nowUs % this.#periodUs;
    for (const phase of this.#phases) {
      if (left < phase.lastsUs) return phase;
      left -= phase.lastsUs;
    }
    return this.#phases[0]!;
  }
}

/** A phase as columns of disjoint ranges in address order, in pages. */
interface CompiledPhase {
  readonly lastsUs: number;
  readonly mapped: Float64Array;
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly shares: Float64Array;
}

/** Cuts overlapping accesses at each other's edges, so that a page is looked up in one pass. */
function compile(phase: SyntheticPhase, mapped: Float64Array, bytesPerPage: number): CompiledPhase {
  const accesses = phase.accesses.map((access) => {
    const [start, end] = pairsOf([access], bytesPerPage) as unknown as [number, number];
    return { start, end, share: access.share };
  });
  const edges = [...new Set(accesses.flatMap(({ start, end }) => [start, end]))].sort((a, b) => a - b);
  const pieces = edges.slice(0, -1).flatMap((start, i) => {
    const found = accesses.find((access) => access.start <= start && start < access.end);
    return found ? [{ start, end: edges[i + 1]!, share: found.share }] : [];
  });
  return {
    lastsUs: phase.lastsUs,
    mapped,
    starts: Float64Array.from(pieces, (piece) => piece.start),
    ends: Float64Array.from(pieces, (piece) => piece.end),
    shares: Float64Array.from(pieces, (piece) => piece.share),
  };
}

/** All that is mapped is resident. Once a tick and target, in one pass. */
function countMapped(table: RegionTable, mapped: Float64Array): void {
  const { samplePage, count } = table;
  for (let i = 0, m = 0; i < count; i++) {
    const page = samplePage[i]!;
    if (page === NOT_ASKED) continue;
    while (m < mapped.length && mapped[m + 1]! <= page) m += 2;
    if (m < mapped.length && mapped[m]! <= page) table.countPresent(i);
    else table.countAbsent(i);
  }
}

function pairsOf(ranges: readonly SyntheticRange[], bytesPerPage: number): Float64Array {
  return Float64Array.from(
    ranges.flatMap(({ startAddress, sizeBytes }) => [startAddress, startAddress + sizeBytes]),
    (address) => address / bytesPerPage,
  );
}

function suffer(kind: 'exit' | 'hang' | 'throw'): void {
  if (kind === 'exit') process.exit(1);
  if (kind === 'throw') throw new Error('the script has a fault');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
