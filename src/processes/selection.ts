import { PagepulseError } from '../core/errors.js';
import { userId } from '../kernel/users.js';
import { cgroupPath, containerId, isInCgroup, isInContainer } from './cgroup-path.js';

/**
 * Which processes to watch, now and later: matches that appear are attached within a second, and what has ended or
 * matches no longer is detached.
 *
 * `names`, `users`, `cgroups` and `containers` are filters: a process has to pass every kind that is given, by any one of
 * its values. Processes that are named outright (`pids`, `runs`) are watched whatever the filters say. Threads of the
 * kernel and zombies never match, and neither does this process, unless it is one of `pids`.
 */
export interface Selection {
  readonly pids?: readonly number[];
  /** Started programs with all that they start, whatever `children` says. */
  readonly runs?: readonly Run[];
  /** Found in the name the kernel shows (comm), or in the command line joined by spaces. */
  readonly names?: readonly RegExp[];
  /** Names or numbers of effective users. */
  readonly users?: readonly (string | number)[];
  /**
   * Paths of cgroups, which stand also for all below them: of version 1 or 2, with or without /sys/fs/cgroup, and of
   * version 1 with or without the controller. A path is waited for where there is none yet.
   */
  readonly cgroups?: readonly string[];
  /** Begins of container ids in hex, found by the names of cgroups: docker, containerd, cri-o, podman, kubernetes. */
  readonly containers?: readonly string[];
  /** All descendants of whatever is chosen too. Default false. */
  readonly children?: boolean;
  /** Takes away, by the same text as `names`; not `pids` and `runs` themselves. */
  readonly exclude?: readonly RegExp[];
  /** Watches at most so many at a time, from 1 on. Default as many as there are descriptors for. */
  readonly maxTargets?: number;
  /** Lets this process match as any other. Default false. */
  readonly includeSelf?: boolean;
}

/** A program that was started to be watched. */
export interface Run {
  readonly pid: number;
  /**
   * A text that its environment holds and nobody else's. By it, those of its descendants are recognised whose parent ended
   * before anyone had looked.
   */
  readonly mark?: string;
}

/** What the filters ask about a process; a function that is not needed is not called. */
export interface Traits {
  comm(): string;
  cmdline(): string;
  uid(): number | undefined;
  /** The text of /proc/PID/cgroup. */
  cgroup(): string;
}

/** A selection that was checked, its users looked up. */
export class Choice {
  readonly pids: ReadonlySet<number>;
  readonly runs: readonly Run[];
  readonly children: boolean;
  readonly maxTargets: number;
  readonly includeSelf: boolean;
  /** As `cgroupPath` makes them. */
  readonly cgroups: readonly string[];
  /** Whether any process may be chosen that is not named outright, nor the descendant of one. */
  readonly hasFilters: boolean;
  /** Whether what the filters look at may change without an exec. */
  readonly readsAgain: boolean;
  readonly #names: readonly RegExp[];
  readonly #users: ReadonlySet<number>;
  readonly #containers: readonly string[];
  readonly #exclude: readonly RegExp[];

  /** @throws PagepulseError `ATTRS` */
  constructor(selection: Selection) {
    const { maxTargets = Number.POSITIVE_INFINITY } = selection;
    this.pids = new Set(selection.pids);
    this.runs = selection.runs ?? [];
    this.children = selection.children ?? false;
    this.maxTargets = maxTargets;
    this.includeSelf = selection.includeSelf ?? false;
    this.cgroups = (selection.cgroups ?? []).map(cgroupPath);
    this.#names = (selection.names ?? []).map(stateless);
    this.#exclude = (selection.exclude ?? []).map(stateless);
    this.#users = new Set((selection.users ?? []).map(uidOf));
    this.#containers = (selection.containers ?? []).map(containerId);
    const kinds = [this.#names, this.cgroups, this.#containers].map(({ length }) => length);
    this.hasFilters = kinds.some((length) => length > 0) || this.#users.size > 0;
    this.readsAgain = this.hasFilters || this.#exclude.length > 0;
    if (!this.hasFilters && this.pids.size === 0 && this.runs.length === 0) {
      throw new PagepulseError('ATTRS', 'the selection chooses nothing; give processes or a filter');
    }
  }

  /** Whether a process passes all filters there are; without any, none does. Asks for the cheapest traits first. */
  matches(traits: Traits): boolean {
    if (!this.hasFilters) return false;
    if (this.#names.length > 0 && !isNamed(this.#names, traits)) return false;
    if (this.cgroups.length > 0 && !this.cgroups.some((path) => isInCgroup(traits.cgroup(), path)))
      return false;
    if (this.#containers.length > 0 && !this.#containers.some((id) => isInContainer(traits.cgroup(), id)))
      return false;
    if (this.#users.size === 0) return true;
    const uid = traits.uid();
    return uid !== undefined && this.#users.has(uid);
  }

  excludes(traits: Traits): boolean {
    return this.#exclude.length > 0 && isNamed(this.#exclude, traits);
  }
}

/** How many characters at the beginning and at the end of a long command line are searched. */
const SEARCHED = 4_096;

/** Whether the name or the command line of a process has one of these in it. */
export function isNamed(patterns: readonly RegExp[], traits: Pick<Traits, 'comm' | 'cmdline'>): boolean {
  return patterns.some((pattern) => pattern.test(traits.comm()) || isIn(pattern, traits.cmdline()));
}

/**
 * Any user can choose a command line, and a pattern such as /java.*server/ takes time with the square of its length: more
 * than a second for 64 KiB, some milliseconds for this.
 */
function isIn(pattern: RegExp, cmdline: string): boolean {
  if (cmdline.length <= 2 * SEARCHED) return pattern.test(cmdline);
  return pattern.test(cmdline.slice(0, SEARCHED)) || pattern.test(cmdline.slice(-SEARCHED));
}

/** Global and sticky expressions remember where they were. */
function stateless({ source, flags }: RegExp): RegExp {
  return new RegExp(source, flags.replace(/[gy]/g, ''));
}

function uidOf(user: string | number): number {
  if (typeof user === 'string' && !/^\d+$/.test(user)) return userId(user);
  const uid = Number(user);
  if (Number.isInteger(uid) && uid >= 0 && uid < 2 ** 32) return uid;
  throw new PagepulseError('ATTRS', `${user} is no number of a user; give one from 0 on, or a name`);
}
