import { type FamilyMember, markDescendants } from './descendants.js';
import type { ProcessFields, ProcessSource } from './proc-source.js';
import type { Choice, Traits } from './selection.js';

/** A process that was seen, from its first look to its last. A class, so that V8 gives all the same shape. */
export class Known implements FamilyMember {
  readonly startTime: number;
  readonly isKernelThread: boolean;
  ppid: number;
  threads: number;
  hasEnded: boolean;
  comm = '';
  imageKey = Number.NaN;
  /** How often it was seen with another image. */
  execs = -1;
  lastLook: number;
  isRoot = false;
  isDescendant = false;
  /** Whether it passes the filters, and whether `exclude` removes it. */
  matches = false;
  isExcluded = false;
  isChosen = false;
  /** Whether its environment must still be searched for the mark of a run. */
  isUnmarked = false;

  /** @param isNamed whether it is one of `pids` or `runs` */
  constructor(
    readonly pid: number,
    readonly isNamed: boolean,
    readonly firstLook: number,
    { startTime, isKernelThread, ppid, threads, hasEnded }: ProcessFields,
  ) {
    this.startTime = startTime;
    this.isKernelThread = isKernelThread;
    this.ppid = ppid;
    this.threads = threads;
    this.hasEnded = hasEnded;
    this.lastLook = firstLook;
  }
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

  constructor(
    readonly choice: Choice,
    readonly source: ProcessSource,
  ) {}

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
      const traits = traitsOf(each, source);
      each.matches = this.choice.matches(traits);
      each.isExcluded = !each.isNamed && this.choice.excludes(traits);
      each.isRoot = this.#isRoot(each);
    }
  }

  #meet(pid: number, look: number): Known {
    const { pids, runs, children } = this.choice;
    const isRun = runs.some((run) => run.pid === pid);
    // A process that gets the PID later is not the one that was named.
    const isNamed = look === 1 && (isRun || pids.has(pid));
    const each = new Known(pid, isNamed, look, this.source.fields);
    each.isUnmarked = !each.isKernelThread && !isNamed && runs.some(({ mark }) => mark !== undefined);
    each.isRoot = isNamed && (isRun || children);
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

/** Traits that are read when first needed. */
function traitsOf({ pid, comm }: Known, source: ProcessSource): Traits {
  return {
    comm: () => comm,
    cmdline: once(() => source.cmdline(pid)),
    cgroup: once(() => source.cgroup(pid)),
    uid: () => source.uid(pid),
  };
}

function once(read: () => string): () => string {
  let text: string | undefined;
  return () => {
    text ??= read();
    return text;
  };
}
