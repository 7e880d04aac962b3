import type { Observation } from '../source/observation.js';
import type { AccessLimits } from './classes.js';
import { type MappingsOf, type MappingUse, workingSetOf } from './mapping-sums.js';
import { MappingsReport } from './mappings.js';
import type { Report } from './report.js';
import { type WorkingSet, type WssProcess, WssReport } from './wss.js';

/** One of the two recordings that are compared. */
export interface DiffSide {
  readonly processes: number;
  /** Null without a snapshot. */
  readonly workingSet: Pick<WorkingSet, 'bytes' | 'residentBytes' | 'unseenBytes'> | null;
  /** What of the processes was left out or is not known. */
  readonly known: readonly Pick<WssProcess, 'pid' | 'comm' | 'warmUpUs' | 'isSettled' | 'unknown'>[];
  readonly mappings: MappingsOf;
}

/** Mappings of one name before and after: null where there were none. Changes are after - before, in bytes; null where not known. */
export interface MappingChange {
  readonly name: string;
  readonly before: MappingUse | null;
  readonly after: MappingUse | null;
  readonly workingSetChange: number;
  readonly hotChange: number | null;
  readonly coldChange: number | null;
}

/** A working set, and what it consists of. */
export class DiffSideReport implements Report<DiffSide> {
  readonly #wss: WssReport;
  readonly #mappings: MappingsReport;

  constructor(limits: AccessLimits) {
    this.#wss = new WssReport({ minAccessShare: limits.warmShare });
    this.#mappings = new MappingsReport({ limits });
  }

  add(observation: Observation): void {
    this.#wss.add(observation);
    this.#mappings.add(observation);
  }

  result(): DiffSide {
    const { all, processes } = this.#wss.result();
    const workingSet = all && {
      bytes: all.bytes,
      residentBytes: all.residentBytes,
      unseenBytes: all.unseenBytes,
    };
    const known = processes.map(({ pid, comm, warmUpUs, isSettled, unknown }) => ({
      pid,
      comm,
      warmUpUs,
      isSettled,
      unknown,
    }));
    return { processes: processes.length, workingSet, known, mappings: this.#mappings.all() };
  }
}

/** Those first whose working set has changed most, then those whose hot and cold memory has. */
export function changesBetween(before: MappingsOf, after: MappingsOf): MappingChange[] {
  const earlier = new Map(before.mappings.map((use) => [use.name, use]));
  const later = new Map(after.mappings.map((use) => [use.name, use]));
  const changes = [...new Set([...earlier.keys(), ...later.keys()])].map((name) =>
    changeOf(name, earlier.get(name) ?? null, later.get(name) ?? null),
  );
  const size = (change: number | null) => Math.abs(change ?? 0);
  return changes.sort(
    (a, b) =>
      size(b.workingSetChange) - size(a.workingSetChange) ||
      size(b.hotChange) - size(a.hotChange) ||
      size(b.coldChange) - size(a.coldChange),
  );
}

export function changeOf(name: string, before: MappingUse | null, after: MappingUse | null): MappingChange {
  const change = (value: (use: MappingUse) => number | null) => {
    const [earlier, later] = [before ? value(before) : 0, after ? value(after) : 0];
    return earlier === null || later === null ? null : later - earlier;
  };
  return {
    name,
    before,
    after,
    workingSetChange: change(workingSetOf) ?? 0,
    hotChange: change(({ hotBytes }) => hotBytes),
    coldChange: change(({ coldBytes }) => coldBytes),
  };
}
