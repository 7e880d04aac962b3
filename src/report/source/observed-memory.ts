import type { MemoryChange, RecordedMapping } from '../../record/format.js';
import type { ObservedMapping } from './observation.js';

/** The memory of one target as its target line and the `mappings` lines since have told it. */
export class ObservedMemory {
  readonly #byStart = new Map<number, ObservedMapping>();
  #inOrder: readonly ObservedMapping[] | undefined;
  residentBytes: number | undefined;

  constructor(readonly pageSize: number) {}

  /** In address order; the same array until they change. */
  get mappings(): readonly ObservedMapping[] {
    this.#inOrder ??= [...this.#byStart.values()].sort((a, b) => a.startPage - b.startPage);
    return this.#inOrder;
  }

  take(change: MemoryChange): void {
    const { removed, mappings, resident, residentBytes } = change;
    if (residentBytes !== undefined) this.residentBytes = residentBytes;
    for (const start of removed ?? []) this.#byStart.delete(this.#page(start));
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
    const endPage = this.#page(end);
    const before = this.#byStart.get(startPage);
    const residentBytes =
      before?.residentBytes !== undefined && before.name === name && before.permissions === permissions
        ? Math.min(before.residentBytes, (endPage - startPage) * this.pageSize)
        : undefined;
    this.#byStart.set(startPage, { startPage, endPage, permissions, name, residentBytes });
  }

  #page(address: string): number {
    return Number.parseInt(address, 16) / this.pageSize;
  }
}
