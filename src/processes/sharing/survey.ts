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
  readonly #pace: SharingPace;
  #dueMs = Number.NEGATIVE_INFINITY;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** @throws PagepulseError `ATTRS` (options), `UNSUPPORTED` (not Linux, before 4.14 without root, no frames to see) */
  constructor(options: SharingOptions = {}) {
    const given = checkedOptions(options);
    this.#counter = openCounter(given.method);
    this.#pace = given;
  }

  get method(): SharingMethod {
    return this.#counter.method;
  }

  /** Milliseconds until the next survey is due, or 0. One may be made earlier. */
  get dueInMs(): number {
    return Math.max(0, this.#dueMs - performance.now());
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
    this.#dueMs = nowMs + msUntilNext(cpuMs, this.#pace);
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

/** How long after a survey the next one is due: longer if it was expensive. */
export function msUntilNext(
  cpuMs: number,
  { maxCpuPercent = 0.2, minIntervalMs = 5_000 }: SharingPace,
): number {
  return Math.max(minIntervalMs, cpuMs / (maxCpuPercent / 100));
}
