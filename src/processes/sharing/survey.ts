import { PagepulseError } from '../../core/errors.js';
import { Slices } from '../../kernel/slices.js';
import { framesSupport, procSupport } from '../../kernel/support.js';
import { ByFrames } from './by-frames.js';
import { ByPss } from './by-pss.js';
import { checkedOptions, checkedTargets } from './options-schema.js';
import type { Way } from './reading.js';
import { Schedule } from './schedule.js';
import {
  checkWorkingSet,
  type SharingMethod,
  type SharingOptions,
  type SharingResult,
  type SharingTarget,
  type TargetSharing,
} from './types.js';

/**
 * Surveys what several processes share, again and again: it keeps the memory for counting, and says when the next survey
 * is due so that all together stay cheap. Watches nothing and disturbs nothing: it reads which pages are where.
 */
export class SharingSurvey {
  readonly #way: Way;
  readonly #schedule: Schedule;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** @throws PagepulseError `ATTRS` (options), `UNSUPPORTED` (not Linux, before 4.14 without root, no frames to see) */
  constructor(options: SharingOptions = {}) {
    const given = checkedOptions(options);
    this.#way = openWay(given.method);
    this.#schedule = new Schedule(given);
  }

  get method(): SharingMethod {
    return this.#way.method;
  }

  /** Milliseconds until the next survey is due; 0 where it is. Nothing keeps from making one earlier. */
  get dueInMs(): number {
    return this.#schedule.dueInMs(performance.now());
  }

  /** Memory kept for counting, in bytes: with `frames` up to four bits a frame of the machine, 8 MiB for 64 GiB. */
  get allocatedBytes(): number {
    return this.#way.allocatedBytes;
  }

  /**
   * Looks through the page tables of all targets. Not at one moment: each is read for itself, while all go on running,
   * and every 4 ms the event loop has its turn. A survey that is asked for while another is made comes after it.
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
    this.#way.close();
  }

  async #make(targets: readonly SharingTarget[]): Promise<SharingResult> {
    if (this.#isClosed) throw new PagepulseError('STOPPED', 'the survey was closed; make another one');
    for (const target of targets) checkWorkingSet(target);
    const startedMs = performance.now();
    const slices = new Slices();
    const [unknown, ended]: [number[], number[]] = [[], []];
    const read: { target: SharingTarget; found: TargetSharing }[] = [];
    this.#way.begin();
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
      const sharedBytes = (await this.#way.readShared(target, slices)) ?? first.sharedBytes;
      found.push({ ...first, sharedBytes });
    }
    const nowMs = performance.now();
    const { cpuMs } = slices;
    this.#schedule.ended(nowMs, cpuMs);
    const { method } = this.#way;
    return {
      method,
      targets: found,
      unknown,
      ended,
      ...this.#way.sums(),
      cpuMs,
      elapsedMs: nowMs - startedMs,
    };
  }

  async #read(target: SharingTarget, slices: Slices): Promise<TargetSharing | 'unknown' | 'ended'> {
    try {
      const found = await this.#way.read(target, slices);
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

function openWay(method: SharingMethod | undefined): Way {
  const proc = procSupport();
  if (!proc.ok) {
    throw new PagepulseError('UNSUPPORTED', `cannot survey processes: ${proc.reason}; ${proc.help}`);
  }
  if (method === 'pss') return new ByPss();
  const support = framesSupport();
  if (support.ok) return new ByFrames();
  if (method === undefined) return new ByPss();
  throw new PagepulseError('UNSUPPORTED', `frames cannot be told apart: ${support.reason}; ${support.help}`);
}
