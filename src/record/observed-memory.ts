import type { Mapping } from '../kernel/mapping.js';
import type { MemoryChange, RecordedMapping } from '../processes/memory-reader.js';
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

  take(change: MemoryChange): void {
    const { removed, mappings, resident, residentBytes } = change;
    if (residentBytes !== undefined) this.residentBytes = residentBytes;
    for (const start of removed ?? []) this.#byStart.delete(this.#page(start));
    this.budget?.spend((mappings?.length ?? 0) * BYTES_PER_MAPPING);
    for (const mapping of mappings ?? []) this.#add(mapping);
    for (const [start, bytes] of resident ?? []) {
      const mapping = this.#byStart.get(this.#page(start));
      if (mapping) this.#byStart.set(mapping.startPage, { ...mapping, residentBytes: bytes });
    }
    if (removed ?? mappings ?? resident) this.#inOrder = undefined;
  }

  /** What is resident of a mapping that has grown or shrunk stays known, until it is told anew. */
  #add([start, end, permissions, name]: RecordedMapping): void {
    const startPage = this.#page(start);
    const endPage = Math.max(startPage, this.#page(end));
    const before = this.#byStart.get(startPage);
    const residentBytes =
      before?.residentBytes !== undefined && before.name === name && before.permissions === permissions
        ? Math.min(before.residentBytes, (endPage - startPage) * this.pageSize)
        : undefined;
    this.#longestName = Math.max(this.#longestName, name.length + permissions.length);
    this.#byStart.set(startPage, { startPage, endPage, permissions, name, residentBytes });
  }

  #page(address: string): number {
    return Number.parseInt(address, 16) / this.pageSize;
  }
}
