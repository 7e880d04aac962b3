import type { Mapping } from '../kernel/maps.js';
import type { MemoryFactsChange } from '../processes/facts.js';
import { factsOf, type HeaderLine, type MappingsLine, type MemoryChange, type TargetLine } from './format.js';
import type { InputBudget } from './limits.js';

/** A mapping of a target, and how much of it was resident; undefined if that is unknown. */
export interface ObservedMapping extends Mapping {
  readonly residentBytes: number | undefined;
}

/** What a mapping costs of a record's budget: to keep, to sort again after a change, and to go through for a snapshot. */
const BYTES_PER_MAPPING = 200;
const BYTES_PER_MAPPING_SORTED = 8;
const BYTES_PER_MAPPING_SEEN = 1 / 4;
const BYTES_PER_NAME_BYTE = 1 / 16;
const FEW_PAIRS = 4_096;

/** How many targets keep their mappings in memory: those with the latest snapshots. */
const MAX_MEMORIES = 2_000;

/** The memory of one target according to its target line and the `mappings` lines since. */
export class ObservedMemory {
  readonly #byStart = new Map<number, ObservedMapping>();
  #inOrder: readonly ObservedMapping[] | undefined;
  #longestName = 0;
  residentBytes: number | undefined;

  /** @param budget of the record that is read */
  constructor(
    readonly pageSize: number,
    readonly budget?: InputBudget,
  ) {}

  /** In address order; the same array until they change. */
  get mappings(): readonly ObservedMapping[] {
    if (!this.#inOrder) this.budget?.spend(this.#byStart.size * BYTES_PER_MAPPING_SORTED);
    this.#inOrder ??= [...this.#byStart.values()].sort((a, b) => a.startPage - b.startPage);
    return this.#inOrder;
  }

  /**
   * Charges for naming the regions of a snapshot after the mappings: one pass over all mappings unless regions overlap, and
   * at worst the longest name for every region.
   *
   * @param areInOrder called only if it matters
   */
  willName(regions: number, areInOrder: () => boolean): void {
    const mappings = this.#byStart.size;
    const pairs = regions * mappings;
    const seen = pairs <= FEW_PAIRS || areInOrder() ? mappings * BYTES_PER_MAPPING_SEEN : pairs;
    this.budget?.spend(seen + regions * this.#longestName * BYTES_PER_NAME_BYTE);
  }

  /** Takes what a line of a record says. */
  take(line: MemoryChange): void {
    this.budget?.spend((line.mappings?.length ?? 0) * BYTES_PER_MAPPING);
    this.update(factsOf(line, this.pageSize));
  }

  /** Takes what was read of a process. */
  update({ removed, mappings, resident, residentBytes }: MemoryFactsChange): void {
    if (residentBytes !== undefined) this.residentBytes = residentBytes;
    for (const startPage of removed ?? []) this.#byStart.delete(startPage);
    for (const mapping of mappings ?? []) this.#add(mapping);
    for (const [startPage, bytes] of resident ?? []) {
      const mapping = this.#byStart.get(startPage);
      if (mapping) this.#byStart.set(startPage, { ...mapping, residentBytes: bytes });
    }
    if (removed ?? mappings ?? resident) this.#inOrder = undefined;
  }

  /** A mapping that grew or shrank keeps its resident bytes until the next `resident`. */
  #add({ startPage, endPage, permissions, name }: Mapping): void {
    const before = this.#byStart.get(startPage);
    const residentBytes =
      before?.residentBytes !== undefined && before.name === name && before.permissions === permissions
        ? Math.min(before.residentBytes, (endPage - startPage) * this.pageSize)
        : undefined;
    this.#longestName = Math.max(this.#longestName, name.length + permissions.length);
    this.#byStart.set(startPage, { startPage, endPage, permissions, name, residentBytes });
  }
}

/** The memory of the targets of a record, from its lines in order. */
export class ObservedMemories {
  /** By target, the most recently used last. */
  readonly #memories = new Map<number, ObservedMemory>();
  #pageSize = 1;

  constructor(readonly budget: InputBudget) {}

  /** Lines of other types say nothing about memory. */
  take(line: HeaderLine | TargetLine | MappingsLine): void {
    if (line.type === 'header') this.#pageSize = line.pageSize;
    else if (line.type === 'mappings') this.#memories.get(line.target)?.take(line);
    else {
      const memory = new ObservedMemory(this.#pageSize, this.budget);
      memory.take(line);
      this.#use(line.id, memory);
      const [oldest] = this.#memories.keys();
      if (this.#memories.size > MAX_MEMORIES) this.#memories.delete(oldest!);
    }
  }

  /** The memory of a snapshot's target, whose regions will be named (`willName`); undefined if unknown. */
  of(target: number, regions: number, areInOrder: () => boolean): ObservedMemory | undefined {
    const memory = this.#memories.get(target);
    if (!memory) return undefined;
    this.#use(target, memory);
    memory.willName(regions, areInOrder);
    return memory;
  }

  #use(target: number, memory: ObservedMemory): void {
    this.#memories.delete(target);
    this.#memories.set(target, memory);
  }
}
