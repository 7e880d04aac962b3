import { PagepulseError } from '../../core/errors.js';

/** Bytes [startAddress, startAddress + sizeBytes). Both must be multiples of this machine's page size. */
export interface SyntheticRange {
  readonly startAddress: number;
  readonly sizeBytes: number;
}

/** A range with accesses. */
export interface SyntheticAccess extends SyntheticRange {
  /** The probability, 0 .. 1, that a page is accessed in a sampling interval, independently of other pages. */
  readonly share: number;
}

/** A period of a synthetic address space. If accesses overlap, the first one that contains a page counts. */
export interface SyntheticPhase {
  /** In microseconds, above 0. After the last phase, the first one starts again. */
  readonly lastsUs: number;
  readonly accesses: readonly SyntheticAccess[];
  /** The mappings from this phase on, in address order. Required in the first phase; default: those of the phase before. */
  readonly mappings?: readonly SyntheticRange[];
}

/** A scripted address space that exists only in memory, for tests, benchmarks and tuning studies. */
export interface SyntheticSpec {
  /** Shown instead of a process name. Default `synthetic`. */
  readonly name?: string;
  readonly phases: readonly [SyntheticPhase, ...SyntheticPhase[]];
  /** When the address space ends, in microseconds of the monitor's time. Default never. */
  readonly endsUs?: number;
  /** A fault of its sampler, to test how the monitor recovers: the thread exits, hangs, or the check throws. */
  readonly fault?: {
    /** In microseconds of the monitor's time; 0 for every time the target is opened. */
    readonly atUs: number;
    readonly kind: 'exit' | 'hang' | 'throw';
    /** Whether the fault also hits samplers that take over. Default false. */
    readonly always?: boolean;
  };
}

/** Processes have no addresses above this. Below it, float64 represents the start of every page exactly. */
const END_ADDRESS = 2 ** 63;

/** @throws PagepulseError `ATTRS` */
export function validateSynthetic(spec: SyntheticSpec, bytesPerPage: number): void {
  const isPages = (bytes: number) => bytes >= 0 && bytes % bytesPerPage === 0;
  if (spec.phases.length === 0 || spec.phases[0].mappings === undefined) {
    throw refuse('needs at least one phase, and mappings in the first one');
  }
  for (const phase of spec.phases) {
    if (!(phase.lastsUs > 0)) throw refuse(`has a phase that lasts ${phase.lastsUs} us; give more than 0`);
    for (const { share } of phase.accesses) {
      if (!(share >= 0 && share <= 1)) throw refuse(`has a share of ${share}; give 0 to 1`);
    }
    let end = 0;
    for (const range of [...(phase.mappings ?? [])]) {
      if (range.startAddress < end)
        throw refuse('has mappings that overlap or are out of order; sort them by address');
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
