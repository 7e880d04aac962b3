import { setTimeout as pause } from 'node:timers/promises';
import { FrameKind, KPageCount, KPageFlags, NO_IDLE_BIT } from '../../kernel/frames.js';
import { readMappings } from '../../kernel/maps.js';
import { pageSize } from '../../kernel/page-size.js';
import { Pagemap } from '../../kernel/pagemap.js';
import { readResidentBytes } from '../../kernel/status.js';
import { framesSupport, hugePagePages, idlePageSupport, transparentHugePages } from '../../kernel/support.js';
import type { ProcessRequest } from '../../processes/process-request.js';
import {
  type CheckSteps,
  idlePageSteps,
  markNeighbours,
  referencedSteps,
  SAMPLES_A_TICK,
} from './check-cost.js';
import { type CheckCost, figureOf, type MeasuredCheck } from './result.js';
import { WORKLOAD_MIB, type Workload, type WorkloadProcess } from './workload.js';

/** One kind of memory to measure a check on. */
export interface Memory {
  readonly memory: string;
  /** Of the process, if the check walks all of it; otherwise null. */
  readonly residentBytes: number | null;
  open(): CheckSteps;
}

export type MemoryGroup = Omit<CheckCost, 'memories'> & { readonly memories: readonly Memory[] };

/** Fewer pages of a kind give no reliable figure. */
const MIN_PAGES = SAMPLES_A_TICK / 5;

/**
 * The kinds of memory that the workload, or else the process, has. Beside the referenced check, which walks whole
 * processes, the idle-page check is measured as far as this machine supports it.
 *
 * @param notes receives what cannot be measured and why
 * @throws PagepulseError `NO_PROCESS`, `PERMISSION`; the signal's reason
 */
export async function memoryGroups(
  check: MeasuredCheck,
  workload: Workload | null,
  target: ProcessRequest,
  notes: string[],
  signal: AbortSignal,
): Promise<MemoryGroup[]> {
  const groups: MemoryGroup[] = [];
  if (workload) notes.push(...missingIn(workload));
  if (check === 'referenced') {
    const memories = workload ? processesOf(workload) : [processMemory('the whole process', target)];
    groups.push({ check, per: 'tick', isWhole: true, memories });
  }
  const frames = framesSupport();
  if (!frames.ok) {
    notes.push(`huge and shared pages could not be told from others: ${frames.reason}; ${frames.help}`);
    return groups;
  }
  const isWhole = idlePageSupport().ok;
  const sets = workload
    ? setsOfWorkload(workload, isWhole)
    : await setsOfProcess(target.pid, isWhole, signal);
  const memories: Memory[] = [];
  for (const { memory, pid, pages, before } of sets) {
    if (pages.length >= MIN_PAGES) {
      const open = () => {
        before?.();
        return idlePageSteps(pid, pages);
      };
      memories.push({ memory, residentBytes: null, open });
    } else if (!workload) {
      notes.push(`the process has too few ${memory} to measure (found ${pages.length})`);
    }
  }
  groups.push({ check: 'idle-page', per: 'sample', isWhole, memories });
  return groups;
}

function processesOf({ hot, huge, cold, sharers }: Workload): Memory[] {
  return [
    ...(isHuge(hot) ? [] : [processMemory(`${WORKLOAD_MIB} MiB of small pages, in use`, hot)]),
    ...(isHuge(huge) ? [processMemory(`${WORKLOAD_MIB} MiB of huge pages, in use`, huge)] : []),
    processMemory(`${WORKLOAD_MIB} MiB of long-cold pages`, cold),
    processMemory('nothing but Node and its libraries', sharers[0]!),
  ];
}

function processMemory(memory: string, { pid }: { readonly pid: number }): Memory {
  return { memory, residentBytes: readResidentBytes(pid) ?? 0, open: () => referencedSteps({ pid }) };
}

/** Whether most of its memory lies in huge pages. */
function isHuge(process: WorkloadProcess): boolean {
  return process.hugeShare() > 0.5;
}

/** What the workload should have and lacks, and why: a sentence each. */
function missingIn({ hot, huge }: Workload): string[] {
  const missing: string[] = [];
  if (!isHuge(huge)) {
    const why =
      transparentHugePages() === 'never'
        ? 'the kernel makes none (/sys/kernel/mm/transparent_hugepage/enabled)'
        : 'the kernel made none for a process that requested them through glibc, which needs version 2.35 or later';
    missing.push(`huge pages could not be measured: ${why}`);
  }
  if (isHuge(hot)) {
    missing.push(
      'small pages could not be measured separately: the kernel makes huge pages of all large memory ' +
        '(/sys/kernel/mm/transparent_hugepage/enabled)',
    );
  }
  return missing;
}

/** Pages of one kind to measure the idle-page check on. */
interface PageSet {
  readonly memory: string;
  readonly pid: number;
  /** Page numbers, in order; may be empty. */
  readonly pages: readonly number[];
  /** Called once, before measuring. */
  readonly before?: () => void;
}

function setsOfWorkload({ hot, huge, cold }: Workload, hasBitmap: boolean): PageSet[] {
  const ownPages = (process: WorkloadProcess) => {
    const [range] = process.request().ranges!;
    return findPages(process.pid, range!.startAddress / pageSize(), range!.endAddress / pageSize());
  };
  const { shared, sharedBy } = findPages(hot.pid);
  const coldPages = ownPages(cold);
  return [
    { memory: 'small pages, in use', pid: hot.pid, pages: ownPages(hot).small },
    { memory: 'huge pages, in use', pid: huge.pid, pages: ownPages(huge).huge },
    { memory: librariesMapped(sharedBy), pid: hot.pid, pages: shared },
    ...coldSets(cold.pid, isHuge(cold) ? coldPages.huge : coldPages.small, hasBitmap),
  ];
}

async function setsOfProcess(pid: number, hasBitmap: boolean, signal: AbortSignal): Promise<PageSet[]> {
  const { small, huge, shared, sharedBy } = findPages(pid);
  return [
    { memory: 'small pages', pid, pages: small },
    { memory: 'huge pages', pid, pages: huge },
    { memory: sharedBy > 0 ? librariesMapped(sharedBy) : 'shared pages', pid, pages: shared },
    ...(hasBitmap ? coldSets(pid, await unusedOf(pid, small, signal), true) : []),
  ];
}

function librariesMapped(times: number): string {
  return `libraries, a page mapped ${times} times`;
}

function coldSets(pid: number, pages: readonly number[], hasBitmap: boolean): PageSet[] {
  const cold = { memory: 'long-cold pages', pid, pages };
  if (!hasBitmap) return [cold];
  const before = () => markNeighbours(pid, pages);
  return [cold, { memory: 'the same, all neighbours marked', pid, pages, before }];
}

/** A page of another process counts as cold if it is not used for this long. */
const COLD_MS = 300;

async function unusedOf(pid: number, pages: readonly number[], signal: AbortSignal): Promise<number[]> {
  const { steps, table, close } = idlePageSteps(pid, pages);
  try {
    for (const { run } of steps.slice(0, -1)) run();
    await pause(COLD_MS, undefined, { signal });
    steps.at(-1)!.run();
    return Array.from(table.startPage.subarray(0, table.count)).filter((_, i) => table.nrAccesses[i] === 0);
  } finally {
    close();
  }
}

/** Pages of a process that have an idle bit, by what determines the cost of a check. Page numbers, in order. */
export interface PagesByKind {
  /** Mapped only by this process, and not part of a huge page. */
  readonly small: readonly number[];
  readonly huge: readonly number[];
  /** Mapped by several processes, or several times. */
  readonly shared: readonly number[];
  /** How often the shared ones are mapped: the median. */
  readonly sharedBy: number;
}

/** Pages to classify in all mappings together, and at least in each. */
const LOOKUPS = 8_192;
const LOOKUPS_A_MAPPING = 16;

/**
 * Classifies pages spread evenly over all readable mappings, or over [startPage, endPage). Needs `framesSupport`; makes
 * some 20,000 system calls.
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
    for (const page of spreadPages(pid, startPage, endPage)) {
      const frame = pagemap.frameOf(page);
      if (frame <= 0 || flags.idleFrameOf(frame) === NO_IDLE_BIT) continue;
      const mapCount = counts.mapCountOf(frame);
      if (flags.kind === FrameKind.HUGE) found.huge.push(page);
      else if (mapCount > 1) {
        found.shared.push(page);
        mapCounts.push(mapCount);
      } else if (flags.kind === FrameKind.PLAIN) found.small.push(page);
    }
  } finally {
    for (const file of [flags, counts, pagemap]) file.close();
  }
  return { ...found, sharedBy: mapCounts.length > 0 ? Math.round(figureOf(mapCounts).median) : 0 };
}

function* spreadPages(pid: number, startPage: number, endPage: number): Generator<number> {
  const ranges = readMappings(pid)
    .filter(({ permissions }) => permissions.startsWith('r'))
    .map((mapping) => ({
      from: Math.max(mapping.startPage, startPage),
      pages: Math.min(mapping.endPage, endPage) - Math.max(mapping.startPage, startPage),
    }))
    .filter(({ pages }) => pages > 0);
  const total = ranges.reduce((sum, { pages }) => sum + pages, 0);
  for (const { from, pages } of ranges) {
    const lookups = Math.min(pages, Math.max(LOOKUPS_A_MAPPING, Math.floor((LOOKUPS * pages) / total)));
    for (let i = 0; i < lookups; i++) yield from + Math.floor((i * pages) / lookups);
  }
}
