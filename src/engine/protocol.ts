import type { MessagePort } from 'node:worker_threads';
import type { AdaptationName } from '../core/adaptation.js';
import type { Attrs } from '../core/attrs.js';
import type { RandomState } from '../core/random.js';
import type { AttrsChange, AttrsInForce, MonitorStats } from '../core/stats.js';
import type { TargetInfo } from '../core/target.js';
import type { TuningGoal, TuningStep } from '../core/tuning.js';
import type { CoverName, TargetIdentity, TargetRequest } from '../sources/source.js';
import type { WireError } from './comlink-errors.js';

// The protocol between the threads. Calls go through Comlink; the constant flow of snapshots does not.

/** Start parameters of the coordinator's thread. */
export interface CoordinatorStart {
  readonly shared: SharedArrayBuffer;
  /** The main thread calls CoordinatorApi through this. */
  readonly control: MessagePort;
  /** The coordinator calls HostApi through this. */
  readonly host: MessagePort;
  /** The coordinator sends FromCoordinator messages through this. */
  readonly data: MessagePort;
}

/** Start parameters of a sampler's thread. */
export interface SamplerStart {
  readonly shared: SharedArrayBuffer;
  readonly slot: number;
  /** What to load the source from (sources/registry.ts). */
  readonly source: string;
  readonly cover: CoverName;
  /** The coordinator calls SamplerApi through this. */
  readonly control: MessagePort;
}

/** Complete options of a monitor, from the main thread. */
export interface MonitorSetup {
  /** What to load the source from (sources/registry.ts). */
  readonly source: string;
  readonly cover: CoverName;
  readonly adaptation: AdaptationName;
  readonly attrs: Attrs;
  readonly policy: PolicySetup;
  readonly costOf: CostScope;
  readonly targets: readonly TargetRequest[];
  /** Whether to leave out targets that cannot be opened, instead of failing the start. */
  readonly skipsFailing: boolean;
  /** Whether the monitor ends with its last target. */
  readonly endsAlone: boolean;
  readonly samplerLimit: number;
  readonly seed: number;
  /** Most snapshots that wait for the reader. */
  readonly queueLimit: number;
  /** The monitor ends after this time; Infinity for never. */
  readonly durationUs: number;
  readonly clock: ClockName;
}

/** What may change the attrs while the monitor runs. */
export interface PolicySetup {
  /** The goal of automatic intervals; undefined if intervals are fixed. */
  readonly goal: TuningGoal | undefined;
  /** CPU budget in percent of one core; undefined for none. */
  readonly maxCpuPercent: number | undefined;
  /** Whether the budget is the default one. */
  readonly isDefaultBudget: boolean;
  /** Whether a region source delivers the regions, without a sampling interval. */
  readonly isDelivered: boolean;
  /** When the monitor ends, or Infinity. Several intervals should fit into it. */
  readonly durationUs: number;
}

/** What counts as the cost of watching: coordinator and samplers (`monitor`), or the whole process (`process`). */
export type CostScope = 'monitor' | 'process';

/** `virtual` time passes as fast as the ticks can be worked through. */
export type ClockName = 'real' | 'virtual';

export interface Started {
  readonly inForce: AttrsInForce;
  /** In the order of the requests. */
  readonly attached: readonly Attached[];
  readonly startedAt: string;
  readonly startedMonotonicNs: string;
}

/** The result of a request: a target, or the error. */
export type Attached = TargetInfo | WireError;

/** Calls from the main thread to the coordinator. */
export interface CoordinatorApi {
  start(setup: MonitorSetup): Promise<Started>;
  /** Attaches every target that can be opened. @returns results in the order of the requests */
  attach(requests: readonly TargetRequest[]): Promise<Attached[]>;
  /** @returns whether any of them was watched */
  detach(ids: readonly number[], reason: DetachReason): Promise<boolean>;
  /** @returns the attrs in force afterwards */
  setAttrs(changed: Partial<Attrs>): Promise<Attrs>;
  stats(): Promise<MonitorStats>;
  stop(reason: EndReason): Promise<void>;
}

/** Calls from the coordinator to the main thread. */
export interface HostApi {
  /** Starts a thread for this slot and source. @returns the port of its SamplerApi */
  startSampler(slot: number, source: string, cover: CoverName): MessagePort;
  /** Ends the thread of this slot, even if it is busy. */
  endSampler(slot: number): void;
  /** Why the thread of this slot failed; undefined if it did not fail. */
  failureOf(slot: number): string | undefined;
}

/** Calls from the coordinator to a sampler, which answers before it has joined the phases and in CONTROL phases. */
export interface SamplerApi {
  /** A descriptor of the thread's own CPU clock (thread-cpu.ts): readable from every thread. */
  cpuFile(): number;
  /**
   * Opens targets without watching them yet: at least one, then more until `withinMs` have passed. Targets missing from the end
   * of the answer were not opened.
   */
  open(targets: readonly TargetToOpen[], withinMs: number): (OpenedTarget | WireError)[];
  /** Starts to watch opened targets in these tables. */
  watch(targets: readonly TargetToWatch[]): void;
  close(handles: readonly number[]): void;
  /** Why a target with status FAILED can no longer be watched. */
  failureOf(handle: number): string;
  /** Makes the sampler join the phases after this one. */
  join(epoch: number): void;
}

export interface TargetToOpen {
  readonly id: number;
  readonly request: TargetRequest;
  readonly random: RandomState;
}

export interface TargetToWatch {
  readonly id: number;
  readonly handle: number;
  readonly table: SharedArrayBuffer;
  /** The ranges of its layout, if it has one. */
  readonly ranges: SharedArrayBuffer | undefined;
}

export interface OpenedTarget {
  /** Identifies the target in its sampler. Opening it again gives a new handle. */
  readonly handle: number;
  readonly target: TargetIdentity;
  /** [start, end) pairs of pages, and whether the regions lie over them as if there were no gaps. */
  readonly ranges: Float64Array;
  readonly isDense: boolean;
  /** Of the whole process; 0 if unknown. */
  readonly residentBytes: number;
}

/** Messages from the coordinator to the main thread. */
export type FromCoordinator =
  | {
      readonly type: 'snapshots';
      readonly endUs: number;
      readonly maxNrAccesses: number;
      readonly stats: MonitorStats;
      readonly targets: readonly PublishedTarget[];
    }
  | { readonly type: 'attrs'; readonly change: AttrsChange }
  | { readonly type: 'tuned'; readonly step: TuningStep }
  | { readonly type: 'attached'; readonly target: TargetInfo }
  | {
      readonly type: 'detached';
      readonly targetId: number;
      readonly reason: DetachReason;
      readonly message: string;
    }
  | { readonly type: 'samplerLost'; readonly slot: number; readonly targets: number }
  | { readonly type: 'end'; readonly reason: EndReason; readonly stats: MonitorStats };

/** One target's part of a message with snapshots. */
export interface PublishedTarget {
  readonly id: number;
  readonly startUs: number;
  /** Undefined if unknown. */
  readonly residentBytes: number | undefined;
  readonly isSettling: boolean;
  /** Bits of ColumnSet. */
  readonly columnSets: number;
  /** The buffer of `snapshotColumns`. */
  readonly columns: ArrayBuffer;
}

/** Why a target is no longer watched: it ended, the program detached it, or watching it failed. */
export type DetachReason = 'ended' | 'detached' | 'failed';

/** Why a monitor has ended: `stop()`, its duration, or the end of its last target. */
export type EndReason = 'stopped' | 'duration' | 'targets ended';

// Declared here, because the package's types must not import those of Comlink, which need browser types.
/** How a monitor has ended, with its final stats. */
export interface MonitorEnd {
  readonly reason: EndReason;
  readonly stats: MonitorStats;
}
