import { type FamilyMember, markDescendants } from './descendants.js';
import type { ProcessSource } from './proc-source.js';
import type { Choice, Traits } from './selection.js';

/** A process that was seen, from its first look to its last. */
export interface Known extends FamilyMember {
  readonly pid: number;
  readonly startTime: number;
  ppid: number;
  comm: string;
  imageKey: number;
  threads: number;
  hasEnded: boolean;
  readonly isKernelThread: boolean;
  /** One of `pids` or `runs`. */
  readonly isNamed: boolean;
  isRoot: boolean;
  isDescendant: boolean;
  /** Whether it passes the filters, and whether `exclude` removes it. */
  matches: boolean;
  isExcluded: boolean;
  isChosen: boolean;
  /** Whether its environment must still be searched for the mark of a run. */
  isUnmarked: boolean;
  /** In looks. */
  firstLook: number;
  lastLook: number;
  /** How often it was seen with another image. */
  execs: number;
}

/** A process this young may still get its cgroup, user and title: it is read again at every look. */
const YOUNG_LOOKS = 3;
/** Processes that match nothing are read for an exec at every second look: at 450 ms, within 0.9 s. */
const EXEC_LOOKS = 2;
/** For everything else, older ones are read again every tenth look, each time another tenth of them: every 4.5 s. */
const REREAD_LOOKS = 10;

/**
 * All processes, and which of them are chosen. A look reads /proc/PID/stat of those that may have changed, and more only of
 * those that are new, have execed, or are due.
 */
export class KnownProcesses {
  looks = 0;
  /** Processes and threads that came and went between two looks, on the whole machine. */
  forksUnseen = 0;
  readonly known = new Map<number, Known>();
  #firstForks = Number.NaN;
  /** Processes and threads that appeared since the first look. */
  #born = 0;
  readonly #traits: SeenTraits;

  constructor(
    readonly choice: Choice,
    readonly source: ProcessSource,
  ) {
    this.#traits = new SeenTraits(source);
  }

  /** One look at all processes; a whole one reads each of them, also those that are not expected to change. */
  look(isWhole = false): void {
    const { source, known } = this;
    const look = ++this.looks;
    for (const pid of source.pids()) this.#see(pid, look, isWhole);
    // The ID of a thread is not in the list, but has a folder.
    for (const pid of this.choice.pids) if (known.get(pid)?.lastLook !== look) this.#see(pid, look, isWhole);
    for (const [pid, { lastLook }] of known) if (lastLook !== look) known.delete(pid);
    if (this.choice.children || this.choice.runs.length > 0) {
      markDescendants(known);
      if (this.#findOrphans()) markDescendants(known);
    }
    for (const each of known.values()) each.isChosen = this.#isChosen(each);
    this.#countForks();
  }

  /** Whether a run may have started some process, which is not known yet in the middle of an exec. */
  get isUndecided(): boolean {
    for (const { isUnmarked, hasEnded } of this.known.values()) if (isUnmarked && !hasEnded) return true;
    return false;
  }

  /** The chosen processes; those that were named come first. */
  chosen(): Known[] {
    const chosen = [...this.known.values()].filter(({ isChosen }) => isChosen);
    return [...chosen.filter(({ isNamed }) => isNamed), ...chosen.filter(({ isNamed }) => !isNamed)];
  }

  #see(pid: number, look: number, isWhole: boolean): void {
    const { source, known } = this;
    let each = known.get(pid);
    if (each && !isWhole && !this.#isExpectedToChange(each, look)) {
      each.lastLook = look;
      return;
    }
    if (!source.read(pid)) return;
    const { fields } = source;
    if (each?.startTime !== fields.startTime) {
      each = this.#meet(pid, look);
      known.set(pid, each);
      this.#born += fields.threads;
    } else if (fields.threads > each.threads) {
      this.#born += fields.threads - each.threads;
    }
    const hasExeced = each.imageKey !== fields.imageKey;
    if (hasExeced) {
      each.imageKey = fields.imageKey;
      each.comm = fields.comm();
      each.execs++;
    }
    each.ppid = fields.ppid;
    each.threads = fields.threads;
    each.hasEnded = fields.hasEnded;
    each.lastLook = look;
    if (this.#mayMatch(each) && (hasExeced || this.#isDue(each, look))) {
      const traits = this.#traits.of(each);
      each.matches = this.choice.matches(traits);
      each.isExcluded = !each.isNamed && this.choice.excludes(traits);
      each.isRoot = this.#isRoot(each);
    }
  }

  #meet(pid: number, look: number): Known {
    const { ppid, threads, startTime, isKernelThread, hasEnded } = this.source.fields;
    const run = this.choice.runs.some((each) => each.pid === pid);
    // A process that gets the PID later is not the one that was named.
    const isNamed = look === 1 && (run || this.choice.pids.has(pid));
    const { runs } = this.choice;
    // Written out, so that V8 gives all the same shape: spread objects are slow to read, at every look.
    const each: Known = {
      pid,
      ppid,
      threads,
      startTime,
      isKernelThread,
      hasEnded,
      isNamed,
      comm: '',
      imageKey: Number.NaN,
      execs: -1,
      firstLook: look,
      lastLook: look,
      isRoot: false,
      isDescendant: false,
      matches: false,
      isExcluded: false,
      isChosen: false,
      isUnmarked: !isKernelThread && !isNamed && runs.some(({ mark }) => mark !== undefined),
    };
    each.isRoot = isNamed && (run || this.choice.children);
    return each;
  }

  /**
   * A chosen process may end as a zombie, which stays in the list. Of the others only an exec matters, and only with filters:
   * half of them are read at each look. Without filters they are read now and then, in case their PIDs were given again.
   */
  #isExpectedToChange({ isChosen, firstLook, pid }: Known, look: number): boolean {
    if (isChosen || look - firstLook < YOUNG_LOOKS) return true;
    return (look + pid) % (this.choice.hasFilters ? EXEC_LOOKS : REREAD_LOOKS) === 0;
  }

  #mayMatch({ isKernelThread, hasEnded }: Known): boolean {
    return this.choice.readsAgain && !isKernelThread && !hasEnded;
  }

  #isDue({ firstLook, pid }: Known, look: number): boolean {
    return look - firstLook < YOUNG_LOOKS || (look + pid) % REREAD_LOOKS === 0;
  }

  #isRoot({ isNamed, isRoot, matches, isExcluded }: Known): boolean {
    if (isNamed) return isRoot;
    return this.choice.children && matches && !isExcluded;
  }

  /** Finds processes that a run has started and whose parent is not its own, by their environment. */
  #findOrphans(): boolean {
    let found = false;
    for (const each of this.known.values()) {
      if (!each.isUnmarked) continue;
      if (each.isDescendant || each.hasEnded) {
        each.isUnmarked = false;
        continue;
      }
      let isKnown = true;
      for (const { mark } of this.choice.runs) {
        const holds = mark !== undefined && this.source.environHolds(each.pid, mark);
        if (holds) found = each.isDescendant = true;
        if (holds === undefined) isKnown = this.looks - each.firstLook >= YOUNG_LOOKS;
      }
      each.isUnmarked = !isKnown && !each.isDescendant;
    }
    return found;
  }

  #isChosen(each: Known): boolean {
    if (each.hasEnded || each.isKernelThread) return false;
    if (each.isNamed) return true;
    if (each.pid === this.source.ownPid && !this.choice.includeSelf) return false;
    return !each.isExcluded && (each.matches || each.isDescendant);
  }

  #countForks(): void {
    const forks = this.source.forks();
    if (this.looks === 1) {
      this.#firstForks = forks;
      this.#born = 0;
    } else if (!Number.isNaN(forks)) {
      this.forksUnseen = Math.max(0, forks - this.#firstForks - this.#born);
    }
  }
}

/** Traits that are read when first needed. One object serves all processes, one after the other. */
class SeenTraits implements Traits {
  #process!: Known;
  #cmdline: string | undefined;
  #cgroup: string | undefined;

  constructor(readonly source: ProcessSource) {}

  of(process: Known): this {
    this.#process = process;
    this.#cmdline = undefined;
    this.#cgroup = undefined;
    return this;
  }

  comm(): string {
    return this.#process.comm;
  }

  cmdline(): string {
    this.#cmdline ??= this.source.cmdline(this.#process.pid);
    return this.#cmdline;
  }

  cgroup(): string {
    this.#cgroup ??= this.source.cgroup(this.#process.pid);
    return this.#cgroup;
  }

  uid(): number | undefined {
    return this.source.uid(this.#process.pid);
  }
}
