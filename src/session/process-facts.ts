import { readCgroup } from '../kernel/cgroup-of.js';
import { readStat } from '../kernel/stat.js';
import { readResidentBytes } from '../kernel/status.js';
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
      if (row.hasEnded || row.pid === 0 || !isDue) continue;
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

  /** The name of a parent, read once: undefined where there is none to see. */
  readonly nameOfParent = (pid: number): string | undefined => {
    if (!this.#parentNames.has(pid)) this.#parentNames.set(pid, nameOf(pid));
    return this.#parentNames.get(pid);
  };

  /** What cannot be read stays as it was: the process may be ending. */
  #read({ id, pid, startTime }: ProcessRow, read: Read, nowMs: number, needsCgroup: boolean): void {
    try {
      const residentBytes = readResidentBytes(pid);
      const stat = readStat(pid);
      if (stat.startTime !== startTime || residentBytes === undefined) return;
      let cgroup = read.facts?.cgroup;
      if (needsCgroup && nowMs - read.cgroupReadMs >= CGROUP_MS) {
        read.cgroupReadMs = nowMs;
        cgroup = readCgroup(pid);
      }
      if (read.facts && read.facts.parentPid !== stat.parentPid) this.#parentNames.delete(stat.parentPid);
      read.facts = { residentBytes, parentPid: stat.parentPid, cgroup };
      this.model.setFacts(id, read.facts);
    } catch {
      // It says so itself, when the monitor finds it ended.
    }
  }
}

function fresh(): Read {
  return { facts: undefined, readMs: Number.NEGATIVE_INFINITY, cgroupReadMs: Number.NEGATIVE_INFINITY };
}

function nameOf(pid: number): string | undefined {
  try {
    return readStat(pid).comm;
  } catch {
    return undefined;
  }
}
