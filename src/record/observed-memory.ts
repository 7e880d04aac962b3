import type { Mapping } from '../kernel/maps.js';
import type { MemoryFactsChange } from '../processes/facts.js';
import { factsOf, type MemoryChange } from './format.js';
import type { InputBudget } from './limits.js';

/** A mapping of a target, and how much of it was resident; undefined where nobody has read that. */
export interface ObservedMapping extends Mapping {
  readonly residentBytes: number | undefined;
}

/** What a mapping takes of a record's budget: kept, sorted again after a change, and gone through for a snapshot. */
const BYTES_PER_MAPPING = 200;
const BYTES_PER_MAPPING_SORTED = 8;
const BYTES_PER_MAPPING_SEEN = 1 / 4;
const BYTES_PER_NAME_BYTE = 1 / 16;
const FEW_PAIRS = 4_096;

/** The memory of one target as its target line and the `mappings` lines since have told it. */
export class ObservedMemory {
  readonly #byStart = new Map<number, ObservedMapping>();
  #inOrder: readonly ObservedMapping[] | undefined;
  #longestName = 0;
  residentBytes: number | undefined;

  /** @param budget of the record that it is read from */
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
   * Says that the regions of a snapshot will be named after the mappings: either goes once through all mappings, unless
   * regions overlap, and every region may get the longest name.
   *
   * @param areInOrder is asked only if it matters
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

  /** What is resident of a mapping that has grown or shrunk stays known, until it is told anew. */
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
