import type { MessagePort } from 'node:worker_threads';
import type { AdaptationName } from '../core/adaptation.js';
import type { Attrs } from '../core/attrs.js';
import type { RandomState } from '../core/random.js';
import type { AttrsChange, AttrsInForce, MonitorStats } from '../core/stats.js';
import type { CheckName, TargetInfo } from '../core/target.js';
import type { TuningGoal, TuningStep } from '../core/tuning.js';
import type { TargetIdentity, TargetRequest } from '../sources/source.js';
import type { WireError } from './comlink-errors.js';

/** What the threads say to each other. Calls go through Comlink; what flows all the time does not. */

/** What the coordinator's thread is started with. */
export interface CoordinatorStart {
  readonly shared: SharedArrayBuffer;
  /** The main thread calls CoordinatorApi through this. */
  readonly control: MessagePort;
  /** The coordinator calls HostApi through this. */
  readonly host: MessagePort;
  /** FromCoordinator messages go out through this. */
  readonly data: MessagePort;
}

/** What a sampler's thread is started with. */
export interface SamplerStart {
  readonly shared: SharedArrayBuffer;
  readonly slot: number;
  readonly check: CheckName;
  /** The coordinator calls SamplerApi through this. */
  readonly control: MessagePort;
}

/** How a monitor is to run, settled by the main thread. */
export interface MonitorSetup {
  readonly check: CheckName;
  readonly adaptation: AdaptationName;
  readonly attrs: Attrs;
  readonly policy: PolicySetup;
  readonly costOf: CostScope;
  readonly targets: readonly TargetRequest[];
  /** Whether a target that cannot be opened is left out, rather than the start failing. */
  readonly skipsFailing: boolean;
  /** Whether the monitor ends with its last target. */
  readonly endsAlone: boolean;
  readonly samplerLimit: number;
  readonly seed: number;
  /** Snapshots on their way to the user, at most. */
  readonly queueLimit: number;
  /** Ends after this time; Infinity for never. */
  readonly durationUs: number;
  readonly clock: ClockName;
}

/** Who may change the attrs while running. */
export interface PolicySetup {
  /** Of automatic intervals; undefined where they are kept. */
  readonly goal: TuningGoal | undefined;
  /** Of one core; undefined for no budget. */
  readonly maxCpuPercent: number | undefined;
  /** Whether nobody has asked for that budget. */
  readonly isDefaultBudget: boolean;
  /** Whether a region source delivers the regions: there is no sampling interval then. */
  readonly isDelivered: boolean;
  /** When the monitor ends, or Infinity: intervals are chosen so that it has some. */
  readonly durationUs: number;
}

/** What counts as the cost of watching: coordinator and samplers, or all that the process does. */
export type CostScope = 'monitor' | 'process';

/** `virtual` time passes as fast as ticks can be worked off. */
export type ClockName = 'real' | 'virtual';

export interface Started {
  readonly inForce: AttrsInForce;
  /** In the order of the requests. */
  readonly attached: readonly Attached[];
  readonly startedAt: string;
  readonly startedMonotonicNs: string;
}

/** What became of a request: a target, or why there is none. */
export type Attached = TargetInfo | WireError;

/** The coordinator, for the main thread. */
export interface CoordinatorApi {
  start(setup: MonitorSetup): Promise<Started>;
  /** In the order of the requests; one that cannot be opened does not keep the others. */
  attach(requests: readonly TargetRequest[]): Promise<Attached[]>;
  /** Whether any was watched. */
  detach(ids: readonly number[], reason: DetachReason): Promise<boolean>;
  /** Returns the attrs in force afterwards. */
  setAttrs(changed: Partial<Attrs>): Promise<Attrs>;
  stats(): Promise<MonitorStats>;
  stop(reason: EndReason): Promise<void>;
}

/** The main thread, for the coordinator. */
export interface HostApi {
  /** Starts a thread for this slot and returns the port of its SamplerApi. */
  startSampler(slot: number, check: CheckName): MessagePort;
  /** Ends the thread of this slot, whatever it does. */
  endSampler(slot: number): void;
  /** Why the thread of this slot ended, where it failed. */
  failureOf(slot: number): string | undefined;
}

/** A sampler, for the coordinator. Answered before it has joined the phases, and in CONTROL phases. */
export interface SamplerApi {
  /** A descriptor of the thread's own CPU clock (thread-cpu.ts): readable from every thread. */
  cpuFile(): number;
  /**
   * Opens targets without watching them yet, one after the other until `withinMs` have passed, and at least one. What is
   * missing from the end of the answer was not begun.
   */
  open(targets: readonly TargetToOpen[], withinMs: number): (OpenedTarget | WireError)[];
  /** Watches opened targets in these tables from now on. */
  watch(targets: readonly TargetToWatch[]): void;
  close(handles: readonly number[]): void;
  /** Why the target could not be watched any longer, where its status is FAILED. */
  failureOf(handle: number): string;
  /** Takes part in the phases after this one. */
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
}

export interface OpenedTarget {
  /** What it is called in its sampler. A target that is opened again, even there, gets another one. */
  readonly handle: number;
  readonly target: TargetIdentity;
  /** [start, end) pairs of pages. */
  readonly ranges: Float64Array;
  /** Of the whole process; 0 if it is not known. */
  readonly residentBytes: number;
}

/** What flows from the coordinator to the main thread. */
export type FromCoordinator =
  | {
      readonly type: 'snapshots';
      readonly endUs: number;
      readonly maxNrAccesses: number;
      readonly stats: MonitorStats;
      /** Bits of ColumnSet: what the columns of all of them are. */
      readonly columnSets: number;
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
  /** Undefined if it is not known. */
  readonly residentBytes: number | undefined;
  readonly isSettling: boolean;
  /** As snapshotColumns made it. */
  readonly columns: ArrayBuffer;
}

/** Why a target is not watched any longer: it ended, somebody detached it, or watching it failed. */
export type DetachReason = 'ended' | 'detached' | 'failed';

/** Why a monitor has ended. */
export type EndReason = 'stopped' | 'duration' | 'targets ended';

/** How a monitor has ended. Stands here, so that the types of the package need none of Comlink's, which need a browser's. */
export interface MonitorEnd {
  readonly reason: EndReason;
  readonly stats: MonitorStats;
}
