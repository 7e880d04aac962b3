import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { NOT_ASKED } from '../../core/evidence/columns.js';
import { threeRanges } from '../../core/regions.js';
import { Answer, Residence, type Samples } from '../../core/sampling.js';
import { TargetStatus } from '../../core/table-header.js';
import { pageSize } from '../../kernel/page-size.js';
import type { AddressSpace, CoverName, PageCheck, TargetIdentity } from '../source.js';
import { type SyntheticPhase, type SyntheticRange, type SyntheticSpec, validateSynthetic } from './spec.js';

/** Checks a scripted address space of any size, without the kernel. The same random numbers give the same answers. */
export class SyntheticCheck implements PageCheck {
  readonly delivers = 'pages';
  readonly repeatsPages = false;
  readonly target: TargetIdentity;
  readonly #phases: readonly CompiledPhase[];
  readonly #periodUs: number;
  #lastUs = Number.POSITIVE_INFINITY;

  /** @throws PagepulseError `ATTRS` */
  constructor(
    readonly spec: SyntheticSpec,
    readonly random: RandomGenerator,
    bytesPerPage = pageSize(),
    readonly cover: CoverName = 'three-ranges',
  ) {
    validateSynthetic(spec, bytesPerPage);
    this.target = { comm: spec.name ?? 'synthetic' };
    let mapped: Float64Array = new Float64Array(0);
    this.#phases = spec.phases.map((phase) => {
      if (phase.mappings) mapped = pairsOf(phase.mappings, bytesPerPage);
      return compile(phase, mapped, bytesPerPage);
    });
    this.#periodUs = spec.phases.reduce((sum, phase) => sum + phase.lastsUs, 0);
  }

  mark(_samples: Samples, nowUs: number): boolean {
    const { fault, endsUs } = this.spec;
    // A sampler that takes over starts after the fault.
    if (fault && fault.atUs > 0 && nowUs >= fault.atUs && (fault.always || this.#lastUs < fault.atUs))
      suffer(fault.kind);
    this.#lastUs = nowUs;
    return endsUs === undefined || nowUs < endsUs;
  }

  /** About 20 ns a region: one pass, because regions and ranges are both in address order. */
  answer({ pages, answers, residence, count }: Samples, nowUs: number): void {
    const { starts, ends, shares, mapped } = this.#phaseAt(nowUs);
    let r = 0;
    let m = 0;
    for (let i = 0; i < count; i++) {
      const page = pages[i]!;
      if (page === NOT_ASKED) continue;
      while (m < mapped.length && mapped[m + 1]! <= page) m += 2;
      // Every mapped page is resident.
      residence[i] = m < mapped.length && mapped[m]! <= page ? Residence.PRESENT : Residence.ABSENT;
      while (r < ends.length && ends[r]! <= page) r++;
      const isAccessed = r < ends.length && starts[r]! <= page && uniformFloat64(this.random) < shares[r]!;
      answers[i] = isAccessed ? Answer.HIT : Answer.MISS;
    }
  }

  readSpace(nowUs: number): AddressSpace {
    if (this.spec.fault?.atUs === 0) suffer(this.spec.fault.kind);
    const isOver = this.spec.endsUs !== undefined && nowUs >= this.spec.endsUs;
    const isDense = this.cover === 'mapped';
    const { mapped } = this.#phaseAt(nowUs);
    return {
      status: isOver ? TargetStatus.GONE : TargetStatus.OK,
      ranges: isOver ? new Float64Array(0) : isDense ? mapped : threeRanges(mapped),
      isDense,
      residentBytes: 0,
    };
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

/** Cuts overlapping accesses at each other's edges, so that pages can be looked up in one pass. */
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
