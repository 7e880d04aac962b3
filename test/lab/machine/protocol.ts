import type { CostPoint } from '../../../bench/observe.js';
import type { AdaptationName } from '../../../src/core/adaptation.js';
import type { Attrs } from '../../../src/core/attrs.js';
import type { MonitorOptions } from '../../../src/engine/options.js';
import type { SnapshotLine } from '../../../src/record/format.js';
import type { CoverName } from '../../../src/sources/source.js';

/** What the test and the agent in the guest say to each other: files in /out, for the guest has no network. */
export const REQUEST_FILE = /^request-\d+\.json$/;
export const requestFile = (id: number) => `request-${id}.json`;
export const answerFile = (id: number) => `answer-${id}.json`;
/** There as soon as the agent listens. */
export const READY_FILE = 'ready';

export type Request =
  | { readonly kind: 'shell'; readonly script: string }
  | ({ readonly kind: 'watch' } & WatchRequest)
  | ({ readonly kind: 'compare' } & CompareRequest)
  | ({ readonly kind: 'observe' } & ObserveRequest)
  | { readonly kind: 'sample' };

/** Workloads that are watched together by a monitor that has been running for a while. */
export interface WatchRequest {
  /** Shell commands; each prints its truth (truth.ts), and is ended afterwards. */
  readonly start: readonly string[];
  /** Further workloads, that start when half of the time is over. */
  readonly later?: readonly string[];
  /** Intervals and limits; what is not given is as by default. */
  readonly attrs?: Partial<Attrs>;
  /** As by default unless told otherwise. */
  readonly adaptation?: AdaptationName;
  /** `three-ranges` unless told otherwise. */
  readonly cover?: CoverName;
  /** How long is watched at least. */
  readonly seconds: number;
  /** How many snapshots of each target there have to be before watching ends: a slow machine makes few in a second. */
  readonly snapshots?: number;
  /** A shell script that is run once watching has begun, with the processes in $PIDS; watching goes on until it ends. */
  readonly during?: string;
}

export interface Watched {
  /** What the workloads printed, line by line. */
  readonly truths: readonly (readonly unknown[])[];
  /** Of each process that the workloads told of; times in microseconds of the clock that a truth's `atNs` is of. */
  readonly snapshots: readonly (readonly SnapshotLine[])[];
  /** Targets (indices in `snapshots`) that were not watched to the end, with the monitor's message. */
  readonly detached: readonly {
    readonly target: number;
    readonly reason: string;
    readonly message: string;
  }[];
  readonly cost: WatchCost;
}

/** What a method cost while it watched. */
export interface WatchCost {
  readonly seconds: number;
  /** CPU of the monitor as a share of one (emulated) processor. */
  readonly cpuPercent: number;
  /** Pages asked about. */
  readonly samples: number;
  readonly usPerSample: number;
  /** The share of sampling intervals that were made, 0 .. 1. */
  readonly ticksMade: number;
}

/** Workloads that are watched by a monitor of their own, from its start on. */
export interface ObserveRequest {
  readonly start: readonly string[];
  readonly options: MonitorOptions;
  readonly seconds: number;
  /** Whether words are read in batches by native/words.c; true unless told otherwise. */
  readonly native?: boolean;
  /** As in `observe`. */
  readonly isQuiet?: boolean;
}

export interface ObservedWorkloads {
  readonly truths: readonly (readonly unknown[])[];
  /** As in `Watched`. */
  readonly snapshots: readonly (readonly SnapshotLine[])[];
  readonly points: readonly CostPoint[];
  readonly steps: readonly number[];
  readonly startMs: number;
}

/**
 * Methods that see which memory is used: at 5 ms and 100 ms, or with the intervals that Pagepulse finds under its default
 * budget. And one that sees nothing and is as busy, for what that alone does.
 */
export type Method = 'Pagepulse' | 'Pagepulse by default' | 'DAMON' | 'full scan' | 'busy loop';

export interface CompareRequest {
  readonly method: Method;
  readonly start: string;
  readonly seconds: number;
  /** How long the workload is left alone before and after, 4 s unless told otherwise; at 0 no slowdown is measured. */
  readonly aloneSeconds?: number;
  /** Of the busy loop: how much of a processor it takes, in percent. */
  readonly busyPercent?: number;
}

export interface Compared {
  readonly truth: readonly unknown[];
  readonly snapshots: readonly SnapshotLine[];
  readonly cost?: WatchCost;
  /** By how much fewer rounds a second the workload made than just before and just after, 0 .. 1; below 0 for more. */
  readonly slowdown: number;
}

export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string };
