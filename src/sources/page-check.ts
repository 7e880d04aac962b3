import type { PageMarks } from '../core/cycle.js';
import type { Samples } from '../core/sampling.js';
import type { Source } from './source.js';

/**
 * Answers for single pages whether they were accessed: `damon_operations` in spirit, for one target. The engine calls it from
 * one thread, in phases: everything is marked in every target before anything is asked, and asked before anything is marked
 * again (core/cycle.ts). Which page of a region is asked about is not its business. No call blocks for longer than the work
 * takes; both are hot, once a tick and target, and should not allocate.
 */
export interface PageCheck extends Source, PageMarks {
  readonly delivers: 'pages';
  /**
   * Whether asking about the same pages again is cheaper. Then only one of 64 neighbours is ever asked about in large regions,
   * chosen at random for each target.
   */
  readonly repeatsPages: boolean;
  /**
   * Marks the pages of `samples` old. Rows without a page have NOT_ASKED. May look pages up already and set `residence`.
   *
   * @param nowUs the monitor's time, for scripted targets
   * @returns false if the address space is gone; the mappings are then read again before the next tick
   */
  mark(samples: Samples, nowUs: number): boolean;
  /** Sets `answers`, and what is known of `residence` and `weights`. A row that it leaves alone is not counted. */
  answer(samples: Samples, nowUs: number): void;
}
