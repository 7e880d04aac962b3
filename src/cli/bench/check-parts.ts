import { DeliveredRows, deliverRegions } from '../../core/delivered.js';
import { RandomStreams, randomFrom } from '../../core/random.js';
import { RegionTable } from '../../core/region-table.js';
import { pickSamples, Samples } from '../../core/sampling.js';
import { FRAMES_PER_WORD, IdleBitmap } from '../../kernel/idle-bitmap.js';
import { Pagemap } from '../../kernel/pagemap.js';
import { WordBatch } from '../../kernel/words.js';
import type { ProcessRequest } from '../../processes/process-request.js';
import { type IdleBits, IdleFiles, IdlePageCheck } from '../../sources/idle-page/check.js';
import { ProcessSpace } from '../../sources/process-space.js';
import { ReferencedSource } from '../../sources/referenced.js';
import type { Source } from '../../sources/source.js';
import type { PartName } from './result.js';

/** Regions, and so samples, of a tick that is measured. */
export const SAMPLES_A_TICK = 100;

/** A check as what it consists of: run in order, the parts are a tick. */
export interface CheckInParts {
  readonly parts: readonly { readonly name: PartName; readonly run: () => void }[];
  readonly table: RegionTable;
  /** As once in an update interval. */
  update(): void;
  close(): void;
}

/** Where there is no idle bitmap: nothing is marked, and what was marked stays so. */
export const NO_BITMAP: IdleBits = { readBatch: () => 0, writeBatch: () => {} };
const idleFiles = new Map<boolean, IdleFiles>();

/**
 * The idle-page check on these pages of a process; without a bitmap its first part alone, which finds out frames.
 *
 * @param pages page numbers in order
 * @throws PagepulseError `NO_PROCESS`, `PERMISSION`
 */
export function idlePageInParts(pid: number, pages: readonly number[], hasBitmap: boolean): CheckInParts {
  const files = idleFiles.get(hasBitmap) ?? (hasBitmap ? new IdleFiles() : new IdleFiles(NO_BITMAP));
  idleFiles.set(hasBitmap, files);
  const check = new IdlePageCheck(new ProcessSpace({ pid }), files);
  const table = RegionTable.forLimits(3, SAMPLES_A_TICK);
  // A region of one page has nothing to choose from: the pages that are asked about are these.
  table.count = Math.min(pages.length, SAMPLES_A_TICK);
  for (let i = 0; i < table.count; i++) {
    const page = pages[Math.floor((i * pages.length) / table.count)]!;
    table.setFresh(i, page, page + 1);
  }
  // Every tick a minute after the last one: what was found out about a page is known no longer, and asked again.
  let nowUs = 0;
  const samples = new Samples(table);
  const random = randomFrom(new RandomStreams(1).next());
  const resolveAnew = () => {
    nowUs += 60e6;
    pickSamples(table, random);
    samples.clear();
    check.resolve(samples, nowUs);
  };
  const resolve = { name: 'resolve', run: resolveAnew } as const;
  const mark = { name: 'mark', run: () => check.writeMarks() } as const;
  const read = { name: 'read', run: () => check.answer(samples, nowUs) } as const;
  return {
    parts: hasBitmap ? [resolve, mark, read] : [resolve],
    table,
    update: () => takeStatus(table, check),
    close: () => check.close(),
  };
}

/** @throws PagepulseError `NO_PROCESS`, `PERMISSION`, `UNSUPPORTED` */
export function referencedInParts(request: ProcessRequest): CheckInParts {
  const source = new ReferencedSource(new ProcessSpace(request));
  const rows = new DeliveredRows();
  const table = RegionTable.forLimits(3, SAMPLES_A_TICK, 0, true);
  return {
    parts: [
      { name: 'clear', run: () => source.begin() },
      {
        name: 'read',
        run: () => {
          rows.count = 0;
          source.deliver(rows);
          deliverRegions(table, rows, true);
        },
      },
    ],
    table,
    update: () => takeStatus(table, source),
    close: () => source.close(),
  };
}

/** Whether the process is still there shows when its mappings are read. */
function takeStatus(table: RegionTable, source: Source): void {
  table.status = source.readSpace(0).status;
}

/**
 * Sets the idle bits of all frames that share a word of the bitmap with one of the pages', as long watching does in the
 * end where a region is small: a read looks at all of them. Frames of others among them lose nothing by it.
 */
export function markNeighbours(pid: number, pages: readonly number[]): void {
  const bitmap = new IdleBitmap();
  const pagemap = new Pagemap(pid);
  const words = new WordBatch(pages.length);
  for (const page of pages) {
    const frame = pagemap.frameOf(page);
    if (frame > 0) words.indices[words.count++] = Math.floor(frame / FRAMES_PER_WORD);
  }
  words.halves.fill(0xffff_ffff);
  bitmap.writeBatch(words);
  bitmap.close();
  pagemap.close();
}
