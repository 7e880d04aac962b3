import type { Observation } from '../source/observation.js';
import type { AccessLimits } from './classes.js';
import { type MappingsOf, MappingsReport, type MappingUse, workingSetOf } from './mappings.js';
import type { Report } from './report.js';
import { type WorkingSet, WssReport } from './wss.js';

/** One of the two recordings that are compared. */
export interface DiffSide {
  readonly processes: number;
  /** Null without a snapshot. */
  readonly workingSet: Pick<WorkingSet, 'bytes' | 'residentBytes'> | null;
  readonly mappings: MappingsOf;
}

/** Mappings of one name before and after: null where there were none. Changes are after - before, in bytes. */
export interface MappingChange {
  readonly name: string;
  readonly before: MappingUse | null;
  readonly after: MappingUse | null;
  readonly workingSetChange: number;
  readonly hotChange: number;
  readonly coldChange: number;
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
    const workingSet = all && { bytes: all.bytes, residentBytes: all.residentBytes };
    return { processes: processes.length, workingSet, mappings: this.#mappings.all() };
  }
}

/** Those first whose working set has changed most, then those whose hot and cold memory has. */
export function changesBetween(before: MappingsOf, after: MappingsOf): MappingChange[] {
  const earlier = new Map(before.mappings.map((use) => [use.name, use]));
  const later = new Map(after.mappings.map((use) => [use.name, use]));
  const changes = [...new Set([...earlier.keys(), ...later.keys()])].map((name) =>
    changeOf(name, earlier.get(name) ?? null, later.get(name) ?? null),
  );
  const size = (change: number) => Math.abs(change);
  return changes.sort(
    (a, b) =>
      size(b.workingSetChange) - size(a.workingSetChange) ||
      size(b.hotChange) - size(a.hotChange) ||
      size(b.coldChange) - size(a.coldChange),
  );
}

export function changeOf(name: string, before: MappingUse | null, after: MappingUse | null): MappingChange {
  const change = (value: (use: MappingUse) => number) =>
    (after ? value(after) : 0) - (before ? value(before) : 0);
  return {
    name,
    before,
    after,
    workingSetChange: change(workingSetOf),
    hotChange: change(({ hotBytes }) => hotBytes),
    coldChange: change(({ coldBytes }) => coldBytes),
  };
}
