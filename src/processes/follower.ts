import { type ErrorCode, PagepulseError } from '../core/errors.js';
import type { ProcessSource } from './proc-source.js';
import { Census, type Known } from './proc-walk.js';
import type { ProcessRequest } from './process-request.js';
import type { Choice } from './selection.js';

/**
 * Why a chosen process is not watched: the kernel refuses it (tried again when it execs), there are no descriptors left,
 * there are `maxTargets` already (both tried again as soon as there is room), or it failed otherwise.
 */
export type SkipReason = 'permission' | 'descriptors' | 'maxTargets' | 'failed';

/** What a selection has come to. */
export interface SelectionStats {
  /** Processes that are chosen now, watched or not. */
  readonly matched: number;
  /** Processes that were ever watched. */
  readonly watched: number;
  /** Looks at all processes, and the CPU time that they took, in microseconds, in a thread of their own. */
  readonly looks: number;
  readonly cpuUs: number;
  /** Processes that were chosen and never watched, by the latest reason. */
  readonly skipped: Readonly<Record<SkipReason, number>>;
  /** Processes that were chosen and had ended before they could be opened. */
  readonly endedUnopened: number;
  /**
   * Processes and threads of the whole machine, chosen or not, that came and went between two looks: those that nobody
   * knows of. A thread that came while another one of its process ended counts too, and until the monitor has ended also
   * some that will be seen yet.
   */
  readonly forksUnseen: number;
}

/** A target takes a descriptor or two of /proc files. */
const DESCRIPTORS_EACH = 2;
/** For records, threads, the program's own files, and targets that are opened anew after an exec. */
const RESERVED_DESCRIPTORS = 64;

/** What is known of the attaching of a process, beside what it is. */
interface Attachment {
  readonly process: Known;
  targetId: number | undefined;
  wasWatched: boolean;
  skipped: SkipReason | undefined;
  /** `execs` of the process when it was tried last. */
  triedExecs: number;
}

/** What a look has found to do. */
export interface Found {
  readonly attach: readonly ProcessRequest[];
  readonly skip: readonly { readonly request: ProcessRequest; readonly error: PagepulseError }[];
  /** Ids of targets that have ended, and of those that are not chosen any longer. */
  readonly ended: readonly number[];
  readonly left: readonly number[];
}

/** Decides from look to look what to attach and detach. Has no clock, no threads and no files. */
export class Follower {
  readonly census: Census;
  cpuUs = 0;
  readonly #attachments = new Map<Known, Attachment>();
  readonly #counts: Record<SkipReason, number> = { permission: 0, descriptors: 0, maxTargets: 0, failed: 0 };
  #watched = 0;
  #endedUnopened = 0;
  #matched = 0;
  /** What was asked to be attached, until `settle`. */
  #asked: Attachment[] = [];

  /** @param freeDescriptors how many files may still be opened */
  constructor(
    readonly choice: Choice,
    source: ProcessSource,
    readonly freeDescriptors: () => number,
  ) {
    this.census = new Census(choice, source);
  }

  /** Looks at all processes. What it finds to attach has to be answered by `settle` before the next look. */
  look(): Found {
    this.census.look();
    const chosen = this.census.chosen();
    this.#matched = chosen.length;
    const [ended, left] = this.#leavers();
    const waiting: Attachment[] = [];
    for (const process of chosen) {
      const attachment = this.#attachmentOf(process);
      if (attachment.targetId === undefined && isWorthTrying(attachment)) waiting.push(attachment);
    }
    const skip: { request: ProcessRequest; error: PagepulseError }[] = [];
    if (waiting.length > 0) {
      let room = this.choice.maxTargets - this.#watching();
      let files = Math.floor((this.freeDescriptors() - RESERVED_DESCRIPTORS) / DESCRIPTORS_EACH);
      for (const attachment of waiting) {
        const reason = room <= 0 ? 'maxTargets' : files <= 0 ? 'descriptors' : undefined;
        if (reason === undefined) {
          room--;
          files--;
          this.#asked.push(attachment);
        } else if (attachment.skipped !== reason) {
          this.#skip(attachment, reason);
          skip.push({ request: requestOf(attachment), error: noRoom(attachment, reason, this.choice) });
        }
      }
    }
    return { attach: this.#asked.map(requestOf), skip, ended, left };
  }

  /** Takes what became of the requests of the last look, in their order: IDs of targets, or codes of errors. */
  settle(outcomes: readonly (number | ErrorCode)[]): void {
    const asked = this.#asked;
    this.#asked = [];
    outcomes.forEach((outcome, i) => {
      const attachment = asked[i]!;
      attachment.triedExecs = attachment.process.execs;
      if (typeof outcome === 'number') {
        this.#unskip(attachment);
        attachment.targetId = outcome;
        if (!attachment.wasWatched) this.#watched++;
        attachment.wasWatched = true;
      } else if (outcome === 'NO_PROCESS' || outcome === 'ZOMBIE') {
        this.#unskip(attachment);
        if (!attachment.wasWatched) this.#endedUnopened++;
      } else {
        this.#skip(attachment, reasonOf(outcome));
      }
    });
  }

  /** The monitor has let go of a target by itself: it has ended, or could not be watched any longer. */
  lost(targetId: number): void {
    for (const attachment of this.#attachments.values()) {
      if (attachment.targetId !== targetId) continue;
      attachment.targetId = undefined;
      attachment.triedExecs = attachment.process.execs;
    }
  }

  /** A last look, at which nothing is attached: it counts what came and went since the one before. */
  finish(): void {
    this.census.look(true);
  }

  /** Whether nothing that was chosen lives, and nothing can be chosen any more. */
  get isOver(): boolean {
    return !this.choice.hasFilters && this.#matched === 0 && !this.census.isUndecided;
  }

  get stats(): SelectionStats {
    const { looks, forksUnseen } = this.census;
    return {
      ...{ matched: this.#matched, watched: this.#watched, looks, cpuUs: this.cpuUs },
      skipped: { ...this.#counts },
      ...{ endedUnopened: this.#endedUnopened, forksUnseen },
    };
  }

  #leavers(): [ended: number[], left: number[]] {
    const [ended, left]: [number[], number[]] = [[], []];
    for (const [process, attachment] of this.#attachments) {
      if (process.isChosen && this.census.known.get(process.pid) === process) continue;
      const isGone = process.hasEnded || this.census.known.get(process.pid) !== process;
      if (attachment.targetId !== undefined) (isGone ? ended : left).push(attachment.targetId);
      attachment.targetId = undefined;
      attachment.triedExecs = -1; // who comes back is tried again
      if (isGone) this.#attachments.delete(process);
    }
    return [ended, left];
  }

  #attachmentOf(process: Known): Attachment {
    let attachment = this.#attachments.get(process);
    if (!attachment) {
      attachment = { process, targetId: undefined, wasWatched: false, skipped: undefined, triedExecs: -1 };
      this.#attachments.set(process, attachment);
    }
    return attachment;
  }

  #watching(): number {
    let count = 0;
    for (const { targetId } of this.#attachments.values()) if (targetId !== undefined) count++;
    return count;
  }

  #skip(attachment: Attachment, reason: SkipReason): void {
    this.#unskip(attachment);
    attachment.skipped = reason;
    if (!attachment.wasWatched) this.#counts[reason]++;
  }

  #unskip(attachment: Attachment): void {
    if (attachment.skipped && !attachment.wasWatched) this.#counts[attachment.skipped]--;
    attachment.skipped = undefined;
  }
}

/** What was refused is refused again until it execs; what had no room may have some now. */
function isWorthTrying({ process, skipped, triedExecs }: Attachment): boolean {
  return triedExecs !== process.execs || skipped === 'descriptors' || skipped === 'maxTargets';
}

function requestOf({ process }: Attachment): ProcessRequest {
  return { pid: process.pid, startTime: String(process.startTime) };
}

function reasonOf(code: ErrorCode): SkipReason {
  if (code === 'PERMISSION') return 'permission';
  return code === 'LIMIT' ? 'descriptors' : 'failed';
}

function noRoom({ process }: Attachment, reason: SkipReason, { maxTargets }: Choice): PagepulseError {
  const what = `process ${process.pid} (${process.comm}) is not watched`;
  return new PagepulseError(
    'LIMIT',
    reason === 'maxTargets'
      ? `${what}: there are ${maxTargets} already; give a higher --max-targets (maxTargets)`
      : `${what}: there are not enough file descriptors; raise the limit with \`ulimit -n\`, or choose fewer`,
  );
}
