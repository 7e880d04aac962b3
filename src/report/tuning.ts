import type { Attrs } from '../core/attrs.js';
import type { SnapshotColumns } from '../core/snapshot-columns.js';
import type { AttrsInForce } from '../core/stats.js';
import type { TuningGoal, TuningStep } from '../core/tuning.js';
import { accessedPagesOf } from '../core/working-set.js';
import { durationOption, formatDuration } from './units.js';

/**
 * How far snapshots of the same processes agree: pages that both show as accessed, as a share of the pages that either
 * does, 0 .. 1; 1 if neither shows any.
 *
 * The accessed pages of a region are taken to be spread evenly over it, and to overlap those of the other snapshot as far
 * as possible.
 */
export function overlapOf(pairs: Iterable<readonly [SnapshotColumns, SnapshotColumns]>): number {
  let shared = 0;
  let either = 0;
  for (const [a, b] of pairs) {
    const both = sharedPages(a, b);
    shared += both;
    either += accessedPages(a) + accessedPages(b) - both;
  }
  return either === 0 ? 1 : shared / either;
}

function accessedPages(columns: SnapshotColumns): number {
  let pages = 0;
  for (let i = 0; i < columns.startPages.length; i++) pages += accessedPagesOf(columns, i);
  return pages;
}

/** One pass, for both are in address order. */
function sharedPages(a: SnapshotColumns, b: SnapshotColumns): number {
  let pages = 0;
  for (let i = 0, j = 0; i < a.startPages.length && j < b.startPages.length; ) {
    const start = Math.max(a.startPages[i]!, b.startPages[j]!);
    const end = Math.min(a.endPages[i]!, b.endPages[j]!);
    if (end > start) pages += (end - start) * Math.min(densityOf(a, i), densityOf(b, j));
    if (a.endPages[i]! < b.endPages[j]!) i++;
    else j++;
  }
  return pages;
}

/** Accessed pages per page of addresses. */
function densityOf(columns: SnapshotColumns, i: number): number {
  return accessedPagesOf(columns, i) / (columns.endPages[i]! - columns.startPages[i]!);
}

/** A step of automatic intervals, with its cost and its result. */
export interface TunedStep {
  readonly step: TuningStep;
  /** After the step. */
  readonly inForce: AttrsInForce;
  /** Of one core, in percent; null if it is not known. */
  readonly costPercent: number | null;
  /** How far it agrees with the previous step, see overlapOf; undefined in the first. */
  readonly overlap: number | undefined;
}

/** Intervals that differ by less than this part count as the same. */
const SAME = 0.1;
/** Intervals have settled after this many steps and this much time: at 5 ms a step ends before its cost is known. */
const SETTLED_STEPS = 2;
const SETTLED_US = 6_000_000;

/** Follows the steps, and tells when the intervals have settled. */
export class Settling {
  #sampleUs: number;
  #sinceUs = 0;
  #kept = 0;
  /** Steps so far that changed the interval. */
  moves = 0;

  /** @param sampleUs in force at the start */
  constructor(sampleUs: number) {
    this.#sampleUs = sampleUs;
  }

  /**
   * @param sampleUs in force after the step
   * @returns whether the step changed the interval
   */
  add(step: TuningStep, sampleUs: number): boolean {
    if (isSame(step.sampleUs, this.#sampleUs) && isSame(sampleUs, this.#sampleUs)) {
      this.#kept++;
      return false;
    }
    this.#sampleUs = sampleUs;
    this.#sinceUs = step.atUs;
    this.#kept = isSame(step.sampleUs, sampleUs) ? 1 : 0;
    this.moves++;
    return true;
  }

  /** At a bound of the goal one step is enough: more of them may take an hour. */
  isSettled({ minSampleUs, maxSampleUs }: TuningGoal, nowUs: number): boolean {
    const isBound = this.#sampleUs <= minSampleUs || this.#sampleUs >= maxSampleUs;
    return this.#kept >= (isBound ? 1 : SETTLED_STEPS) && nowUs - this.#sinceUs >= SETTLED_US;
  }
}

function isSame(a: number, b: number): boolean {
  return Math.abs(a - b) <= SAME * Math.max(a, b);
}

const WIDTHS = [4, 8, 11, 6, 7, 9, 8] as const;

export function tuningHeading(): string {
  return row('step', 'sample', 'aggregation', 'score', 'cost', 'agreement', 'next');
}

/** @param number of the step, from 1 on */
export function tuningRow(number: number, { step, inForce, costPercent, overlap }: TunedStep): string {
  const { attrs } = inForce;
  const ticks = attrs.aggrUs / attrs.sampleUs;
  return row(
    String(number),
    formatDuration(step.sampleUs),
    formatDuration(step.sampleUs * ticks),
    step.score.toFixed(2),
    costPercent === null ? '-' : `${costPercent.toFixed(2)} %`,
    overlap === undefined ? '-' : `${Math.round(overlap * 100)} %`,
    formatDuration(attrs.sampleUs),
  );
}

function row(...cells: readonly string[]): string {
  return cells.map((cell, i) => cell.padStart(WIDTHS[i]!)).join('  ');
}

/** The options that set these attrs: `--sample 40ms --aggr 800ms`, and limits that the budget has changed. */
export function tunedFlags(attrs: Attrs, start: Attrs): string {
  const sampleUs = Number(attrs.sampleUs.toPrecision(3));
  const aggrUs = sampleUs * Math.floor(attrs.aggrUs / attrs.sampleUs);
  const flags = isCounted(attrs) ? [] : [`--sample ${durationOption(sampleUs)}`];
  flags.push(`--aggr ${durationOption(aggrUs)}`);
  if (attrs.updateUs !== start.updateUs) flags.push(`--update ${durationOption(attrs.updateUs)}`);
  if (attrs.maxRegions !== start.maxRegions) flags.push(`--max-regions ${attrs.maxRegions}`);
  return flags.join(' ');
}

/** Why these intervals, in a sentence. */
export function tuningReason({ step, inForce, costPercent }: TunedStep, goal: TuningGoal): string {
  const cost = costPercent === null ? '' : `, for ${costPercent.toFixed(2)} % of a core`;
  if (isCounted(inForce.attrs)) {
    const { aggrUs } = inForce.attrs;
    const limit =
      inForce.reason === 'budget' ? `; the budget allows no less than ${formatDuration(aggrUs)}` : '';
    const accessed = percent((step.score * goal.accessBp) / 100);
    return (
      'this check counts what was accessed between two looks, so it has no sampling interval to tune: ' +
      `${accessed} of resident memory was accessed in ${formatDuration(aggrUs)}${cost}${limit}`
    );
  }
  const seen = `${percent((step.score * goal.accessBp) / 100)} of all possible accesses are observed`;
  const wanted = `the target is ${percent(goal.accessBp / 100)}`;
  const at = formatDuration(inForce.attrs.sampleUs);
  if (inForce.reason === 'budget') return `the budget allows no less than ${at}: ${seen}, ${wanted}${cost}`;
  if (step.score > 1 && inForce.attrs.sampleUs <= goal.minSampleUs) {
    return `the process is busy: even at the shortest allowed interval, ${at}, ${seen}, ${wanted}${cost}`;
  }
  if (step.score < 1 && inForce.attrs.sampleUs >= goal.maxSampleUs) {
    return `the process is idle: even at the longest allowed interval, ${at}, ${seen}, ${wanted}${cost}`;
  }
  return `at ${at}, ${seen}, ${wanted}${cost}`;
}

/** Whether accesses are counted once per interval, not sampled. */
function isCounted({ sampleUs, aggrUs }: Attrs): boolean {
  return sampleUs === aggrUs;
}

function percent(value: number): string {
  return `${Number(value.toPrecision(2))} %`;
}
