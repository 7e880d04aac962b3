import { setTimeout as pause } from 'node:timers/promises';
import { pageSize } from '../../kernel/page-size.js';
import { readResidentBytes } from '../../kernel/status.js';
import { framesSupport, transparentHugePages } from '../../kernel/support.js';
import type { ProcessRequest } from '../../processes/process-request.js';
import {
  type CheckInParts,
  idlePageInParts,
  markNeighbours,
  referencedInParts,
  SAMPLES_A_TICK,
} from './check-parts.js';
import { findPages } from './page-kinds.js';
import type { CheckCost, MeasuredCheck } from './result.js';
import { WORKLOAD_MIB, type Workload, type WorkloadProcess } from './workload.js';

/** One kind of memory that a check is to be measured on. */
export interface Memory {
  readonly memory: string;
  /** Of the process that the check walks all of; null where it asks about pages. */
  readonly residentBytes: number | null;
  open(): CheckInParts;
}

export type MemoryGroup = Omit<CheckCost, 'memories'> & { readonly memories: readonly Memory[] };

/** Too few pages of a kind say nothing of it. */
const MIN_PAGES = SAMPLES_A_TICK / 5;

/**
 * The kinds of memory that the workload, or else the process, has for a check to be measured on. Where the best check is
 * referenced, which walks whole processes, the first part of the idle-page check is added if frames can be seen.
 *
 * @param notes takes what cannot be measured and why
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
  const isWhole = check === 'idle-page';
  if (workload) notes.push(...lacksOf(workload));
  if (!isWhole) {
    const memories = workload ? processesOf(workload) : [processMemory('the whole process', target)];
    groups.push({ check, per: 'tick', isWhole: true, memories });
  }
  const frames = framesSupport();
  if (!frames.ok) {
    notes.push(`huge and shared pages could not be told from others: ${frames.reason}; ${frames.help}`);
    return groups;
  }
  const memories: Memory[] = [];
  const sets = workload
    ? pageSetsOfWorkload(workload, isWhole)
    : await pageSetsOf(target.pid, isWhole, signal);
  for (const { memory, pid, pages, before } of sets) {
    const open = () => {
      before?.();
      return idlePageInParts(pid, pages, isWhole);
    };
    if (pages.length >= MIN_PAGES) memories.push({ memory, residentBytes: null, open });
    // What the workload lacks is told already.
    else if (!workload)
      notes.push(`the process has too few ${memory} to measure (${pages.length} were found)`);
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

/** Whether the kernel gave the process most of its memory in huge pages. */
function isHuge(process: WorkloadProcess): boolean {
  return process.hugeShare() > 0.5;
}

function processMemory(memory: string, { pid }: { readonly pid: number }): Memory {
  const residentBytes = readResidentBytes(pid) ?? 0;
  return { memory, residentBytes, open: () => referencedInParts({ pid }) };
}

/** Pages of one kind that the idle-page check is measured on. */
interface PageSet {
  readonly memory: string;
  readonly pid: number;
  /** Page numbers, in order; none where the process has none of the kind. */
  readonly pages: readonly number[];
  /** Done once, before it is measured. */
  readonly before?: () => void;
}

/** How long pages of a process that is not our own must stay unused to be taken as cold. */
const COLD_MS = 300;

/** The pages of the workload; needs `framesSupport`. */
function pageSetsOfWorkload({ hot, huge, cold }: Workload, hasBitmap: boolean): PageSet[] {
  const ownPages = (process: WorkloadProcess) => {
    const [range] = process.request().ranges!;
    return findPages(process.pid, range!.startAddress / pageSize(), range!.endAddress / pageSize());
  };
  const { shared, sharedBy } = findPages(hot.pid);
  const coldPages = ownPages(cold);
  return [
    { memory: 'small pages, in use', pid: hot.pid, pages: ownPages(hot).small },
    { memory: 'huge pages, in use', pid: huge.pid, pages: ownPages(huge).huge },
    { memory: librariesMappedBy(sharedBy), pid: hot.pid, pages: shared },
    ...coldSets(cold.pid, isHuge(cold) ? coldPages.huge : coldPages.small, hasBitmap),
  ];
}

/** The pages of another process; needs `framesSupport`. */
async function pageSetsOf(pid: number, hasBitmap: boolean, signal: AbortSignal): Promise<PageSet[]> {
  const { small, huge, shared, sharedBy } = findPages(pid);
  return [
    { memory: 'small pages', pid, pages: small },
    { memory: 'huge pages', pid, pages: huge },
    {
      memory: sharedBy > 0 ? librariesMappedBy(sharedBy) : 'shared pages',
      pid,
      pages: shared,
    },
    ...(hasBitmap ? coldSets(pid, await unusedOf(pid, small, signal), true) : []),
  ];
}

function librariesMappedBy(times: number): string {
  return `libraries, a page mapped ${times} times`;
}

function coldSets(pid: number, pages: readonly number[], hasBitmap: boolean): PageSet[] {
  const cold = { memory: 'long-cold pages', pid, pages };
  if (!hasBitmap) return [cold];
  const before = () => markNeighbours(pid, pages);
  return [cold, { memory: 'the same, all neighbours marked', pid, pages, before }];
}

/** Those of some of the pages that are not used for a while. */
async function unusedOf(pid: number, pages: readonly number[], signal: AbortSignal): Promise<number[]> {
  const check = idlePageInParts(pid, pages, true);
  try {
    const { table, parts } = check;
    for (const { run } of parts.slice(0, -1)) run();
    await pause(COLD_MS, undefined, { signal });
    parts.at(-1)!.run();
    return Array.from(table.startPage.subarray(0, table.count)).filter((_, i) => table.nrAccesses[i] === 0);
  } finally {
    check.close();
  }
}

/** Why the workload lacks a kind of memory that it should have, a sentence each. */
function lacksOf({ hot, huge }: Workload): string[] {
  const lacks: string[] = [];
  if (!isHuge(huge)) {
    const why =
      transparentHugePages() === 'never'
        ? 'the kernel makes none (/sys/kernel/mm/transparent_hugepage/enabled)'
        : "the kernel gave none to a process that asked for them through the C library, as GNU's can from 2.35 on";
    lacks.push(`huge pages could not be measured: ${why}`);
  }
  if (isHuge(hot)) {
    lacks.push(
      'small pages could not be measured apart: the kernel makes huge pages of all large memory ' +
        '(/sys/kernel/mm/transparent_hugepage/enabled)',
    );
  }
  return lacks;
}
