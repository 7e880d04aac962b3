import { PagepulseError } from '../../core/errors.js';

/** Bytes [startAddress, startAddress + sizeBytes); whole pages of this machine, as the page size of snapshots is. */
export interface SyntheticRange {
  readonly startAddress: number;
  readonly sizeBytes: number;
}

/** A range whose pages are accessed in this share of the sampling intervals, 0 .. 1, each by itself. */
export interface SyntheticAccess extends SyntheticRange {
  readonly share: number;
}

/** What the address space does for a while. Where accesses overlap, the first that holds a page counts. */
export interface SyntheticPhase {
  /** The phases follow each other and start again after the last. Microseconds. */
  readonly lastsUs: number;
  readonly accesses: readonly SyntheticAccess[];
  /** The mappings from now on, in address order; those of the phase before where left out. */
  readonly mappings?: readonly SyntheticRange[];
}

/** An address space that exists only in memory, and what happens in it: for tests, benchmarks and tuning studies. */
export interface SyntheticSpec {
  /** Shown in the place of a process name. */
  readonly name?: string;
  readonly phases: readonly [SyntheticPhase, ...SyntheticPhase[]];
  /** When the address space ends, in microseconds of the monitor's time; never where left out. */
  readonly endsUs?: number;
  /** What its sampler suffers, to see what the monitor makes of it: its thread ends, it hangs, or the check throws. */
  readonly fault?: {
    /** When; at 0 whenever it is opened. */
    readonly atUs: number;
    readonly kind: 'exit' | 'hang' | 'throw';
    /** Also each sampler that takes over afterwards. Default: the first alone. */
    readonly always?: boolean;
  };
}

/** Above are no addresses of processes. Up to there, float64 has every one at which a page begins. */
const END_ADDRESS = 2 ** 63;

/** @throws PagepulseError `ATTRS` */
export function validateSynthetic(spec: SyntheticSpec, bytesPerPage: number): void {
  const isPages = (bytes: number) => bytes >= 0 && bytes % bytesPerPage === 0;
  if (spec.phases.length === 0 || spec.phases[0].mappings === undefined) {
    throw refuse('needs at least one phase, and mappings in the first');
  }
  for (const phase of spec.phases) {
    if (!(phase.lastsUs > 0)) throw refuse(`has a phase that lasts ${phase.lastsUs} us; give more than 0`);
    for (const { share } of phase.accesses) {
      if (!(share >= 0 && share <= 1)) throw refuse(`has a share of ${share}; give 0 to 1`);
    }
    let end = 0;
    for (const range of [...(phase.mappings ?? [])]) {
      if (range.startAddress < end) throw refuse('has mappings that overlap or are out of order');
      end = range.startAddress + range.sizeBytes;
    }
    for (const { startAddress, sizeBytes } of [...(phase.mappings ?? []), ...phase.accesses]) {
      if (
        !(
          isPages(startAddress) &&
          isPages(sizeBytes) &&
          sizeBytes > 0 &&
          startAddress + sizeBytes <= END_ADDRESS
        )
      ) {
        throw refuse(
          `has a range at ${startAddress} of ${sizeBytes} bytes; give whole pages of ${bytesPerPage} bytes, below 2^63`,
        );
      }
    }
  }
}

function refuse(reason: string): PagepulseError {
  return new PagepulseError('ATTRS', `the synthetic target ${reason}`);
}
