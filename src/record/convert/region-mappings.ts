import type { Mapping } from '../../kernel/maps.js';
import { type NamedRange, namedRange } from '../../processes/mapping-names.js';
import type { RecordedRegion, RecordLine, SnapshotLine } from '../format.js';
import type { InputBudget } from '../limits.js';
import { ObservedMemory } from '../observed-memory.js';

/** As many processes have their mappings in memory: those with the latest snapshots. */
const MAX_MEMORIES = 2_000;

/** What the targets of a record have mapped, as its lines tell it one after the other. */
export class RegionMappings {
  /** By target; the one that was asked for last comes last. */
  readonly #memories = new Map<number, ObservedMemory>();
  #pageSize = 1;

  constructor(readonly budget?: InputBudget) {}

  take(line: RecordLine): void {
    if (line.type === 'header') this.#pageSize = line.pageSize;
    else if (line.type === 'target') this.#begin(line.id).take(line);
    else if (line.type === 'mappings') this.#memories.get(line.target)?.take(line);
  }

  /** Of a snapshot's target, in address order; the same array until they change, empty where they are not known. */
  of({ target, regions }: SnapshotLine): readonly Mapping[] {
    const memory = this.#memories.get(target);
    if (!memory) return [];
    this.#memories.delete(target);
    this.#memories.set(target, memory);
    memory.willName(regions.length, () => areInOrder(regions));
    return memory.mappings;
  }

  #begin(target: number): ObservedMemory {
    const memory = new ObservedMemory(this.#pageSize, this.budget);
    this.#memories.delete(target);
    this.#memories.set(target, memory);
    if (this.#memories.size > MAX_MEMORIES) {
      const [oldest] = this.#memories.keys();
      this.#memories.delete(oldest!);
    }
    return memory;
  }
}

/** What most of a region is mapped as; undefined where the record does not tell what was mapped. */
export function mappingOf(
  [start, end]: RecordedRegion,
  mappings: readonly Mapping[],
  pageSize: number,
): NamedRange | undefined {
  if (mappings.length === 0) return undefined;
  return namedRange(mappings, Number.parseInt(start, 16) / pageSize, Number.parseInt(end, 16) / pageSize);
}

function areInOrder(regions: readonly RecordedRegion[]): boolean {
  let from = 0;
  for (const [start, end] of regions) {
    if (Number.parseInt(start, 16) < from) return false;
    from = Number.parseInt(end, 16);
  }
  return true;
}
