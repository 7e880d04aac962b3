import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { DEFAULT_ATTRS } from '../../../src/index.js';
import { KPageFlags, NO_IDLE_BIT } from '../../../src/kernel/frames.js';
import { IDLE_BITMAP } from '../../../src/kernel/idle-bitmap.js';
import { readMappings } from '../../../src/kernel/maps.js';
import type { RecordedRegion, SnapshotLine } from '../../../src/record/format.js';
import type { WatchCost } from '../machine/protocol.js';

// The reference that leaves nothing to chance: mark all resident pages of a process, wait, read all. One pass is a
// snapshot in which a page was accessed or not. It costs as much as the process has memory.

const PAGE = 4_096;
const PRESENT = 1n << 63n;
const FRAME = (1n << 55n) - 1n;

/** Pages of a process that are present, in address order, and the frames that have their idle bits. */
interface Resident {
  readonly pages: number[];
  readonly frames: number[];
}

const flags = new KPageFlags(512);

export async function watchByScanning(
  pid: number,
  seconds: number,
): Promise<{ snapshots: SnapshotLine[]; cost: WatchCost }> {
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
  const bitmap = openSync(IDLE_BITMAP, 'r+');
  const snapshots: SnapshotLine[] = [];
  const started = { cpu: process.cpuUsage(), ms: performance.now() };
  let samples = 0;
  try {
    for (const endMs = started.ms + seconds * 1e3; performance.now() < endMs; ) {
      const resident = residentPages(pid, pagemap);
      markAll(bitmap, resident.frames);
      const startUs = monotonicUs();
      await pause(DEFAULT_ATTRS.aggrUs / 1e3);
      const regions = regionsOf(resident, readAll(bitmap, resident.frames));
      samples += resident.pages.length;
      snapshots.push({
        type: 'snapshot',
        target: 0,
        startUs,
        endUs: monotonicUs(),
        maxNrAccesses: 1,
        regions,
      });
    }
  } finally {
    closeSync(pagemap);
    closeSync(bitmap);
  }
  const { user, system } = process.cpuUsage(started.cpu);
  const elapsedUs = (performance.now() - started.ms) * 1e3;
  const cost = {
    seconds: elapsedUs / 1e6,
    cpuPercent: (100 * (user + system)) / elapsedUs,
    samples,
    usPerSample: (user + system) / samples,
    ticksMade: 1,
  };
  return { snapshots, cost };
}

function residentPages(pid: number, pagemap: number): Resident {
  const resident: Resident = { pages: [], frames: [] };
  for (const { startPage, endPage, name } of readMappings(pid)) {
    if (name === '[vvar]') continue;
    const words = new BigUint64Array(endPage - startPage);
    readSync(pagemap, words, 0, words.byteLength, startPage * 8);
    words.forEach((word, i) => {
      const frame = (word & PRESENT) === 0n ? NO_IDLE_BIT : flags.idleFrameOf(Number(word & FRAME));
      if (frame === NO_IDLE_BIT) return;
      resident.pages.push(startPage + i);
      resident.frames.push(frame);
    });
  }
  return resident;
}

/** A word of the bitmap speaks for 64 frames, and may be written at once. */
function markAll(bitmap: number, frames: readonly number[]): void {
  const words = new Map<number, bigint>();
  for (const frame of frames) {
    const index = Math.floor(frame / 64);
    words.set(index, (words.get(index) ?? 0n) | (1n << BigInt(frame % 64)));
  }
  const word = new BigUint64Array(1);
  for (const [index, bits] of words) {
    word[0] = bits;
    writeSync(bitmap, word, 0, 8, index * 8);
  }
}

/** Of each frame, whether it is still idle. */
function readAll(bitmap: number, frames: readonly number[]): boolean[] {
  const words = new Map<number, bigint>();
  const word = new BigUint64Array(1);
  return frames.map((frame) => {
    const index = Math.floor(frame / 64);
    let bits = words.get(index);
    if (bits === undefined) {
      readSync(bitmap, word, 0, 8, index * 8);
      bits = word[0]!;
      words.set(index, bits);
    }
    return ((bits >> BigInt(frame % 64)) & 1n) === 1n;
  });
}

/** Runs of neighbouring pages that were accessed. What was not is no region: nobody asks about it. */
function regionsOf({ pages }: Resident, isIdle: readonly boolean[]): RecordedRegion[] {
  const regions: RecordedRegion[] = [];
  let start = -1;
  for (let i = 0; i <= pages.length; i++) {
    const isAccessed = i < pages.length && !isIdle[i];
    if (start >= 0 && (!isAccessed || pages[i] !== pages[i - 1]! + 1)) {
      const end = pages[i - 1]! + 1;
      regions.push([(start * PAGE).toString(16), (end * PAGE).toString(16), 1, 0]);
      start = -1;
    }
    if (isAccessed && start < 0) start = pages[i]!;
  }
  return regions;
}

function monotonicUs(): number {
  return Number(process.hrtime.bigint()) / 1e3;
}
