import type { OtherWatcher, TargetInfo } from '../core/target.js';
import { IDLE_BITMAP } from '../kernel/idle-bitmap.js';
import { commOf, findOpeners, pidNamespaceOf } from '../kernel/open-files.js';
import { Slices } from '../kernel/slices.js';
import type { SourceDescriptor } from '../sources/source.js';

/** A search may cost this share of one core at most, and the next one starts after this long at the earliest. */
const LOOK_SHARE = 0.001;
const LOOK_MS = 10_000;

/** A program that restarts again and again must not fill the record. */
const MOST_REPORTED = 100;

/** Monitors of this process: their descriptors do not show whose they are. */
const here = new Set<OtherWatchers>();

/**
 * Finds programs that disturb a monitor. Two that clear the accessed bits of the same memory take accesses from each other,
 * so both report too little.
 *
 * It searches for open files (clear_refs of a target, the idle bitmap) instead of taking a lock. Node has no lock that ends
 * with its process, any user could hold a lock with a public name to keep root from watching, and other programs would not
 * take it. Each monitor opens its files before it searches, so of two that start together at least one finds the other.
 * A user's search does not find monitors of root; root's finds all.
 */
export class OtherWatchers {
  readonly #reported = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #hasStopped = false;

  constructor(
    readonly clears: SourceDescriptor['clears'],
    readonly targets: () => readonly TargetInfo[],
    readonly report: (other: Omit<OtherWatcher, 'atUs'>) => void,
    readonly bitmap = IDLE_BITMAP,
  ) {
    if (clears === 'nothing') return;
    here.add(this);
    void this.#run();
  }

  stop(): void {
    this.#hasStopped = true;
    here.delete(this);
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    const slices = new Slices();
    await slices.pause(); // by then the program has its listeners
    const openers = await findOpeners(
      (path, pid) => (path === this.bitmap ? this.clears === 'idle bitmap' : isClearRefs(path, pid)),
      () => (slices.isOver ? slices.pause() : undefined),
    );
    if (this.#hasStopped) return;
    this.#reportOthers(openers);
    this.#reportHere();
    if (this.#reported.size >= MOST_REPORTED) return;
    this.#timer = setTimeout(() => void this.#run(), Math.max(LOOK_MS, slices.cpuMs / LOOK_SHARE)).unref();
  }

  #reportOthers(openers: Awaited<ReturnType<typeof findOpeners>>): void {
    const watched = new Set(this.targets().map(({ pid }) => pid));
    for (const { pid, comm, paths } of openers) {
      const theirs = [...paths]
        .map((path) => Number(/\d+/.exec(path)?.[0]))
        .filter((each) => watched.has(each));
      this.#report(pid, comm, theirs);
      if (paths.has(this.bitmap)) this.#report(pid, comm, ['any']);
    }
  }

  /** Other monitors of this process, and a target that is watched twice. */
  #reportHere(): void {
    const pids = this.targets().map(({ pid }) => pid);
    const clears = this.clears === 'clear_refs';
    const theirs = pids.filter((pid, i) => clears && pids.indexOf(pid) !== i);
    let sharesBitmap = false;
    for (const other of here) {
      if (other === this) continue;
      if (other.clears === 'clear_refs') {
        const others = new Set(other.targets().map(({ pid }) => pid));
        theirs.push(...pids.filter((pid) => others.has(pid)));
      } else if (!clears) sharesBitmap = true;
    }
    const comm = commOf('self');
    this.#report(process.pid, comm, theirs);
    if (sharesBitmap) this.#report(process.pid, comm, ['any']);
  }

  #report(pid: number, comm: string, targets: readonly (number | 'any')[]): void {
    const added = [...new Set(targets)].filter((target) => !this.#reported.has(`${pid} ${target}`));
    if (added.length === 0 || this.#reported.size >= MOST_REPORTED) return;
    for (const target of added) this.#reported.add(`${pid} ${target}`);
    this.report({ pid, comm, targets: added.filter((target) => target !== 'any') });
  }
}

/** In a container with its own PID namespace, the same path is another process. */
function isClearRefs(path: string, opener: string): boolean {
  if (!/^\/proc\/\d+\/(task\/\d+\/)?clear_refs$/.test(path)) return false;
  return pidNamespaceOf(opener) === pidNamespaceOf('self');
}
