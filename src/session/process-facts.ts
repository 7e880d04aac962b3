import { isProcess } from '../core/target.js';
import { readFacts, readName } from '../processes/facts.js';
import type { ProcessFacts, TopModel } from '../report/top/model.js';
import type { ProcessRow } from '../report/top/rows.js';

/** What is in sight is read this often, and everything in the longer time: a read costs some 50 us. */
const VISIBLE_MS = 1_000;
const ALL_MS = 5_000;
/** A control group hardly ever changes. */
const CGROUP_MS = 30_000;

interface Read {
  facts: ProcessFacts | undefined;
  readMs: number;
  cgroupReadMs: number;
}

/** Reads for the table what is not in the snapshots: resident memory, parents, control groups. */
export class FactsReader {
  readonly #reads = new Map<number, Read>();
  readonly #parentNames = new Map<number, string | undefined>();

  constructor(readonly model: TopModel) {}

  /**
   * Reads what is due.
   *
   * @param rows all of them
   * @param visible ids of those in sight
   * @param needsCgroup whether control groups are asked for
   * @returns whether there is something now of which nothing was known before
   */
  refresh(rows: readonly ProcessRow[], visible: ReadonlySet<number>, needsCgroup: boolean): boolean {
    const nowMs = performance.now();
    let hasNew = false;
    for (const row of rows) {
      const read = this.#reads.get(row.id) ?? fresh();
      this.#reads.set(row.id, read);
      const everyMs = visible.has(row.id) ? VISIBLE_MS : ALL_MS;
      const isDue =
        nowMs - read.readMs >= everyMs || (needsCgroup && read.cgroupReadMs === Number.NEGATIVE_INFINITY);
      if (row.hasEnded || !isProcess(row) || !isDue) continue;
      // Spread over the time, so that no frame has to read them all; the first time they are all wanted.
      const isFirst = read.readMs === Number.NEGATIVE_INFINITY;
      read.readMs = isFirst ? nowMs - Math.random() * everyMs : nowMs;
      const before = read.facts;
      this.#read(row, read, nowMs, needsCgroup);
      hasNew ||= before?.cgroup !== read.facts?.cgroup || (before === undefined && read.facts !== undefined);
    }
    for (const id of this.#reads.keys()) if (!this.model.has(id)) this.#reads.delete(id);
    return hasNew;
  }

  /** The name of a parent, read once; undefined if it cannot be seen. */
  readonly nameOfParent = (pid: number): string | undefined => {
    if (!this.#parentNames.has(pid)) this.#parentNames.set(pid, readName(pid));
    return this.#parentNames.get(pid);
  };

  /** What cannot be read stays as it was: the process may be ending. */
  #read(process: ProcessRow, read: Read, nowMs: number, needsCgroup: boolean): void {
    const withCgroup = needsCgroup && nowMs - read.cgroupReadMs >= CGROUP_MS;
    const found = readFacts(process, withCgroup);
    if (!found) return;
    if (withCgroup) read.cgroupReadMs = nowMs;
    const { residentBytes, parentPid } = found;
    if (read.facts && read.facts.parentPid !== parentPid) this.#parentNames.delete(parentPid);
    read.facts = { residentBytes, parentPid, cgroup: withCgroup ? found.cgroup : read.facts?.cgroup };
    this.model.setFacts(process.id, read.facts);
  }
}

function fresh(): Read {
  return { facts: undefined, readMs: Number.NEGATIVE_INFINITY, cgroupReadMs: Number.NEGATIVE_INFINITY };
}
