import { type ErrorCode, PagepulseError } from '../core/errors.js';
import type { ProcessSource } from './proc-source.js';
import { type Known, KnownProcesses } from './proc-walk.js';
import type { ProcessRequest } from './process-request.js';
import type { Choice } from './selection.js';

/**
 * Why a chosen process is not watched: the kernel refuses it (tried again when it execs), there are no descriptors left or
 * `maxTargets` is reached (both tried again as soon as there is room), or it failed otherwise.
 */
export type SkipReason = 'permission' | 'descriptors' | 'maxTargets' | 'failed';

/** The state of a selection so far. */
export interface SelectionStats {
  /** Processes that are chosen now, watched or not. */
  readonly matched: number;
  /** Processes that were ever watched. */
  readonly watched: number;
  /** Looks at all processes, and the CPU time that they took, in microseconds, in a thread of their own. */
  readonly looks: number;
  readonly cpuUs: number;
  /** Processes that were chosen but never watched, by the latest reason. */
  readonly skipped: Readonly<Record<SkipReason, number>>;
  /** Processes that were chosen but ended before they could be opened. */
  readonly endedUnopened: number;
  /**
   * Processes and threads of the whole machine, chosen or not, that came and went unseen between two looks. A thread that
   * started while another one of its process ended counts too, and until the monitor has ended some that will still be
   * seen.
   */
  readonly forksUnseen: number;
}

/** A target takes a descriptor or two of /proc files. */
const DESCRIPTORS_EACH = 2;
/** For records, threads, the program's own files, and targets that are reopened after an exec. */
const RESERVED_DESCRIPTORS = 64;

/** A chosen process, and what has become of attaching it. */
interface Attachment {
  readonly process: Known;
  targetId: number | undefined;
  wasWatched: boolean;
  skipped: SkipReason | undefined;
  /** `execs` of the process at the last attempt. */
  triedExecs: number;
}

/** What a look has found to do. */
export interface LookResult {
  readonly attach: readonly ProcessRequest[];
  readonly skip: readonly { readonly request: ProcessRequest; readonly error: PagepulseError }[];
  /** IDs of targets that have ended, and of those that are no longer chosen. */
  readonly ended: readonly number[];
  readonly left: readonly number[];
}

/** Decides from look to look what to attach and detach. Has no clock, no threads and no files. */
export class Follower {
  readonly processes: KnownProcesses;
  cpuUs = 0;
  readonly #attachments = new Map<Known, Attachment>();
  readonly #counts: Record<SkipReason, number> = { permission: 0, descriptors: 0, maxTargets: 0, failed: 0 };
  #watched = 0;
  #endedUnopened = 0;
  #matched = 0;
  /** What is to be attached, until `settle`. */
  #asked: Attachment[] = [];

  /** @param freeDescriptors returns how many files may still be opened */
  constructor(
    readonly choice: Choice,
    source: ProcessSource,
    readonly freeDescriptors: () => number,
  ) {
    this.processes = new KnownProcesses(choice, source);
  }

  /** Looks at all processes. Call `settle` with what became of `attach` before the next look. */
  look(): LookResult {
    this.processes.look();
    const chosen = this.processes.chosen();
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

  /** @param outcomes of the requests of the last look, in their order: IDs of targets, or codes of errors */
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

  /** The monitor has dropped a target: it has ended, or could no longer be watched. */
  lost(targetId: number): void {
    for (const attachment of this.#attachments.values()) {
      if (attachment.targetId !== targetId) continue;
      attachment.targetId = undefined;
      attachment.triedExecs = attachment.process.execs;
    }
  }

  /** A last look, which attaches nothing: it counts what came and went since the one before. */
  finish(): void {
    this.processes.look(true);
  }

  /** Whether no chosen process lives, and none can be chosen any more. */
  get isOver(): boolean {
    return !this.choice.hasFilters && this.#matched === 0 && !this.processes.isUndecided;
  }

  get stats(): SelectionStats {
    const { looks, forksUnseen } = this.processes;
    return {
      ...{ matched: this.#matched, watched: this.#watched, looks, cpuUs: this.cpuUs },
      skipped: { ...this.#counts },
      ...{ endedUnopened: this.#endedUnopened, forksUnseen },
    };
  }

  #leavers(): [ended: number[], left: number[]] {
    const [ended, left]: [number[], number[]] = [[], []];
    for (const [process, attachment] of this.#attachments) {
      if (process.isChosen && this.processes.known.get(process.pid) === process) continue;
      const isGone = process.hasEnded || this.processes.known.get(process.pid) !== process;
      if (attachment.targetId !== undefined) (isGone ? ended : left).push(attachment.targetId);
      attachment.targetId = undefined;
      attachment.triedExecs = -1; // a process that comes back is tried again
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

/** A refusal lasts until the process execs; a lack of room may have ended. */
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
  const what = `cannot watch process ${process.pid} (${process.comm})`;
  return new PagepulseError(
    'LIMIT',
    reason === 'maxTargets'
      ? `${what}: the limit of ${maxTargets} targets is reached; raise --max-targets (maxTargets)`
      : `${what}: not enough file descriptors; raise the limit with \`ulimit -n\`, or select fewer processes`,
  );
}
