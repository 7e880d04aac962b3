import type { ObservedMapping } from '../../record/observed-memory.js';

/** Beyond that, what is mapped no longer is forgotten: a process that maps and unmaps for ever has no end of them. */
const MAX_FORMER = 20_000;

/** All mappings that a target had at any time; where they overlap, the latest. */
export class KnownMappings {
  #latest: readonly ObservedMapping[] = [];
  /** In address order. */
  all: readonly ObservedMapping[] = [];

  take(mappings: readonly ObservedMapping[]): void {
    if (mappings === this.#latest || mappings.length === 0) return;
    this.#latest = mappings;
    const former = besides(this.all, mappings).slice(0, MAX_FORMER);
    this.all =
      former.length === 0 ? mappings : [...former, ...mappings].sort((a, b) => a.startPage - b.startPage);
  }
}

/** What of `before` lies where nothing of `now` does. Both in address order. */
function besides(before: readonly ObservedMapping[], now: readonly ObservedMapping[]): ObservedMapping[] {
  const left: ObservedMapping[] = [];
  let i = 0;
  for (const mapping of before) {
    let startPage = mapping.startPage;
    while (i < now.length && now[i]!.endPage <= startPage) i++;
    for (let k = i; k < now.length && now[k]!.startPage < mapping.endPage; k++) {
      if (now[k]!.startPage > startPage) left.push({ ...mapping, startPage, endPage: now[k]!.startPage });
      startPage = now[k]!.endPage;
    }
    if (startPage < mapping.endPage) left.push({ ...mapping, startPage });
  }
  return left;
}
