import { PagepulseError } from '../core/errors.js';
import { userId } from '../kernel/users.js';
import { cgroupPath, containerId, isInCgroup, isInContainer } from './cgroup-path.js';

/**
 * Which processes to watch, now and later: processes that begin to match are attached within a second, and those that have
 * ended or no longer match are detached.
 *
 * `names`, `users`, `cgroups` and `containers` are filters: a process must pass every kind that is given, by any one of its
 * values. Processes that are named (`pids`, `runs`) are watched whatever the filters say. Kernel threads and zombies never
 * match, nor does this process unless it is one of `pids`.
 */
export interface Selection {
  readonly pids?: readonly number[];
  /** Programs that were started to be watched, with every process they start, whatever `children` says. */
  readonly runs?: readonly Run[];
  /** Matched with the name that the kernel shows (comm), and with the command line joined by spaces. */
  readonly names?: readonly RegExp[];
  /** Effective users: names or UIDs. */
  readonly users?: readonly (string | number)[];
  /**
   * Paths of cgroups, each with all cgroups below it: of version 1 or 2, with or without /sys/fs/cgroup, and of version 1
   * with or without the controller. A cgroup that does not exist yet is waited for.
   */
  readonly cgroups?: readonly string[];
  /** Prefixes of container IDs in hex, found in the names of cgroups: docker, containerd, cri-o, podman, kubernetes. */
  readonly containers?: readonly string[];
  /** All descendants of the chosen processes too. Default false. */
  readonly children?: boolean;
  /** Removes processes by the same texts as `names`, but not `pids` and `runs` themselves. */
  readonly exclude?: readonly RegExp[];
  /** Watch at most this many at once, 1 or more. Default as many as there are descriptors for. */
  readonly maxTargets?: number;
  /** This process may match like any other. Default false. */
  readonly includeSelf?: boolean;
}

/** A program that was started to be watched. */
export interface Run {
  readonly pid: number;
  /**
   * A text that only the environment of the program holds. It identifies descendants whose parent ended before the first
   * look.
   */
  readonly mark?: string;
}

/** What the filters need of a process; a function is only called if it is needed. */
export interface Traits {
  comm(): string;
  cmdline(): string;
  uid(): number | undefined;
  /** The text of /proc/PID/cgroup. */
  cgroup(): string;
}

/** A checked selection, with its users looked up. */
export class Choice {
  readonly pids: ReadonlySet<number>;
  readonly runs: readonly Run[];
  readonly children: boolean;
  readonly maxTargets: number;
  readonly includeSelf: boolean;
  /** As `cgroupPath` makes them. */
  readonly cgroups: readonly string[];
  /** Whether processes may be chosen that are neither named nor descendants of named ones. */
  readonly hasFilters: boolean;
  /** Whether a process may match or be excluded later without an exec. */
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
      throw new PagepulseError('ATTRS', 'the selection is empty; give processes or a filter');
    }
  }

  /** Whether a process passes all filters; without filters, none does. Reads the cheapest traits first. */
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

/** Characters that are searched at the start and at the end of a long command line. */
const SEARCHED = 4_096;

/** Whether a pattern matches the name or the command line of a process. */
export function isNamed(patterns: readonly RegExp[], traits: Pick<Traits, 'comm' | 'cmdline'>): boolean {
  return patterns.some((pattern) => pattern.test(traits.comm()) || isIn(pattern, traits.cmdline()));
}

/**
 * Any user can choose a command line, and a pattern such as /java.*server/ takes time proportional to the square of its
 * length: more than a second for 64 KiB, some milliseconds for this.
 */
function isIn(pattern: RegExp, cmdline: string): boolean {
  if (cmdline.length <= 2 * SEARCHED) return pattern.test(cmdline);
  return pattern.test(cmdline.slice(0, SEARCHED)) || pattern.test(cmdline.slice(-SEARCHED));
}

/** Without the flags that make an expression remember its last match. */
function stateless({ source, flags }: RegExp): RegExp {
  return new RegExp(source, flags.replace(/[gy]/g, ''));
}

function uidOf(user: string | number): number {
  if (typeof user === 'string' && !/^\d+$/.test(user)) return userId(user);
  const uid = Number(user);
  if (Number.isInteger(uid) && uid >= 0 && uid < 2 ** 32) return uid;
  throw new PagepulseError(
    'ATTRS',
    `'${user}' is not a UID; give an integer from 0 to 4294967295, or a user name`,
  );
}
