import { PagepulseError } from '../../core/errors.js';
import { Slices } from '../../kernel/slices.js';
import { framesSupport, procSupport } from '../../kernel/support.js';
import { ByFrames } from './by-frames.js';
import { ByPss } from './by-pss.js';
import type { SharingCounter } from './pages.js';
import {
  checkedOptions,
  checkedTargets,
  checkWorkingSet,
  type SharingMethod,
  type SharingOptions,
  type SharingPace,
  type SharingResult,
  type SharingTarget,
  type TargetSharing,
} from './types.js';

/**
 * Surveys repeatedly what several processes share: it keeps the memory for counting, and says when the next survey is due
 * so that their cost stays low. It only reads which pages lie in which frames, and disturbs nothing.
 */
export class SharingSurvey {
  readonly #counter: SharingCounter;
  readonly #schedule: Schedule;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** @throws PagepulseError `ATTRS` (options), `UNSUPPORTED` (not Linux, before 4.14 without root, no frames to see) */
  constructor(options: SharingOptions = {}) {
    const given = checkedOptions(options);
    this.#counter = openCounter(given.method);
    this.#schedule = new Schedule(given);
  }

  get method(): SharingMethod {
    return this.#counter.method;
  }

  /** Milliseconds until the next survey is due, or 0. One may be made earlier. */
  get dueInMs(): number {
    return this.#schedule.dueInMs(performance.now());
  }

  /** Memory kept for counting, in bytes: with `frames` up to four bits a frame of the machine, 8 MiB for 64 GiB. */
  get allocatedBytes(): number {
    return this.#counter.allocatedBytes;
  }

  /**
   * Reads the page tables of all targets, one after the other while all go on running; every 4 ms the event loop has its
   * turn. A survey that is asked for during another one comes after it.
   *
   * @param targets processes; their working sets are read until the survey has ended
   * @throws PagepulseError `ATTRS` (targets that are wrong, a working set that is not in order), `STOPPED` (closed), `UNSUPPORTED`
   */
  async survey(targets: readonly SharingTarget[]): Promise<SharingResult> {
    const given = checkedTargets(targets);
    const result = this.#last.then(() => this.#make(given));
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Closes its files, after the survey that is being made. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#last;
    this.#counter.close();
  }

  async #make(targets: readonly SharingTarget[]): Promise<SharingResult> {
    if (this.#isClosed) throw new PagepulseError('STOPPED', 'the survey is closed; create another one');
    for (const target of targets) checkWorkingSet(target);
    const startedMs = performance.now();
    const slices = new Slices();
    const [unknown, ended]: [number[], number[]] = [[], []];
    const read: { target: SharingTarget; found: TargetSharing }[] = [];
    this.#counter.begin();
    for (const target of targets) {
      if (slices.isOver) await slices.pause();
      const found = await this.#read(target, slices);
      if (found === 'unknown') unknown.push(target.id);
      else if (found === 'ended') ended.push(target.id);
      else read.push({ target, found });
    }
    const found: TargetSharing[] = [];
    for (const { target, found: first } of read) {
      if (slices.isOver) await slices.pause();
      const sharedBytes = (await this.#counter.readShared(target, slices)) ?? first.sharedBytes;
      found.push({ ...first, sharedBytes });
    }
    const nowMs = performance.now();
    const { cpuMs } = slices;
    this.#schedule.ended(nowMs, cpuMs);
    const { method } = this.#counter;
    return {
      method,
      targets: found,
      unknown,
      ended,
      ...this.#counter.sums(),
      cpuMs,
      elapsedMs: nowMs - startedMs,
    };
  }

  async #read(target: SharingTarget, slices: Slices): Promise<TargetSharing | 'unknown' | 'ended'> {
    try {
      const found = await this.#counter.read(target, slices);
      return found === 'ended' ? found : { id: target.id, pid: target.pid, ...found };
    } catch (error) {
      if (!(error instanceof PagepulseError)) throw error;
      if (error.code === 'PERMISSION' || error.code === 'TOO_LARGE') return 'unknown';
      if (error.code === 'NO_PROCESS') return 'ended';
      throw error;
    }
  }
}

/**
 * One survey of what several processes share.
 *
 * @throws PagepulseError `ATTRS`, `UNSUPPORTED`, as of a `SharingSurvey`
 */
export async function surveySharing(
  targets: readonly SharingTarget[],
  options: Pick<SharingOptions, 'method'> = {},
): Promise<SharingResult> {
  const survey = new SharingSurvey(options);
  try {
    return await survey.survey(targets);
  } finally {
    await survey.close();
  }
}

function openCounter(method: SharingMethod | undefined): SharingCounter {
  const proc = procSupport();
  if (!proc.ok) {
    throw new PagepulseError('UNSUPPORTED', `cannot survey processes: ${proc.reason}; ${proc.help}`);
  }
  if (method === 'pss') return new ByPss();
  const support = framesSupport();
  if (support.ok) return new ByFrames();
  if (method === undefined) return new ByPss();
  throw new PagepulseError('UNSUPPORTED', `cannot survey by frames: ${support.reason}; ${support.help}`);
}

const DEFAULT_MAX_CPU_PERCENT = 0.2;
const DEFAULT_MIN_INTERVAL_MS = 5_000;

/** When the next survey is due: later if the last one was expensive. */
export class Schedule {
  readonly #share: number;
  readonly #minIntervalMs: number;
  #dueMs = Number.NEGATIVE_INFINITY;

  constructor({
    maxCpuPercent = DEFAULT_MAX_CPU_PERCENT,
    minIntervalMs = DEFAULT_MIN_INTERVAL_MS,
  }: SharingPace) {
    this.#share = maxCpuPercent / 100;
    this.#minIntervalMs = minIntervalMs;
  }

  /** A survey that took `cpuMs` has ended at `nowMs`, on any clock. */
  ended(nowMs: number, cpuMs: number): void {
    this.#dueMs = nowMs + Math.max(this.#minIntervalMs, cpuMs / this.#share);
  }

  /** Milliseconds until the next is due, or 0. */
  dueInMs(nowMs: number): number {
    return Math.max(0, this.#dueMs - nowMs);
  }
}
