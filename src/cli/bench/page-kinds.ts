import { FrameKind, KPageCount, KPageFlags, NO_IDLE_BIT } from '../../kernel/frames.js';
import { readMappings } from '../../kernel/maps.js';
import { Pagemap } from '../../kernel/pagemap.js';
import { hugePagePages } from '../../kernel/support.js';
import { figureOf } from './figure.js';

/** Pages of a process that an idle bit speaks for, by what asking about them may cost. */
export interface PagesByKind {
  /** Page numbers, in order: mapped by this process alone, and no part of a huge page. */
  readonly small: readonly number[];
  /** In transparent huge pages. */
  readonly huge: readonly number[];
  /** Mapped by more than one process, or more than once. */
  readonly shared: readonly number[];
  /** How many times the shared ones are mapped, the median. */
  readonly sharedBy: number;
}

/** Pages that are looked at, in all mappings together and at least in each. */
const LOOKS = 8_192;
const LOOKS_EACH = 16;

/**
 * Looks at pages spread evenly over all mappings that may be read, or over [startPage, endPage). Needs
 * `framesSupport`; some 20,000 system calls.
 *
 * @throws PagepulseError `NO_PROCESS`, `PERMISSION`
 */
export function findPages(pid: number, startPage = 0, endPage = Number.POSITIVE_INFINITY): PagesByKind {
  const flags = new KPageFlags(hugePagePages());
  const counts = new KPageCount();
  const pagemap = new Pagemap(pid);
  const found = { small: [] as number[], huge: [] as number[], shared: [] as number[] };
  const mapCounts: number[] = [];
  try {
    for (const page of pagesToLookAt(pid, startPage, endPage)) {
      const frame = pagemap.frameOf(page);
      if (frame <= 0 || flags.idleFrameOf(frame) === NO_IDLE_BIT) continue;
      const { kind } = flags;
      const mapCount = counts.mapCountOf(frame);
      if (kind === FrameKind.HUGE) found.huge.push(page);
      else if (mapCount > 1) found.shared.push(page);
      else if (kind === FrameKind.PLAIN) found.small.push(page);
      if (found.shared.at(-1) === page) mapCounts.push(mapCount);
    }
  } finally {
    for (const file of [flags, counts, pagemap]) file.close();
  }
  return { ...found, sharedBy: mapCounts.length > 0 ? Math.round(figureOf(mapCounts).median) : 0 };
}

function* pagesToLookAt(pid: number, startPage: number, endPage: number): Generator<number> {
  const mappings = readMappings(pid)
    .filter(({ permissions }) => permissions.startsWith('r'))
    .map((mapping) => ({
      from: Math.max(mapping.startPage, startPage),
      to: Math.min(mapping.endPage, endPage),
    }))
    .filter(({ from, to }) => from < to);
  const total = mappings.reduce((sum, { from, to }) => sum + to - from, 0);
  for (const { from, to } of mappings) {
    const looks = Math.min(to - from, Math.max(LOOKS_EACH, Math.floor((LOOKS * (to - from)) / total)));
    for (let i = 0; i < looks; i++) yield from + Math.floor((i * (to - from)) / looks);
  }
}
