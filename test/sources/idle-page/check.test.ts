import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { count, prepare } from '../../../src/core/cycle.js';
import { RandomStreams, randomFrom } from '../../../src/core/random.js';
import { Samples } from '../../../src/core/sampling.js';
import { TargetStatus } from '../../../src/core/table-header.js';
import { KPageCount, KPageFlags } from '../../../src/kernel/frames.js';
import { IdleBitmap } from '../../../src/kernel/idle-bitmap.js';
import { Pagemap } from '../../../src/kernel/pagemap.js';
import { IdleFiles, IdlePageCheck } from '../../../src/sources/idle-page/check.js';
import { ProcessSpace } from '../../../src/sources/process-space.js';
import { folderFor } from '../../helpers/fixtures.js';
import { type Row, tableOf } from '../../helpers/tables.js';

// The check over files that stand in for the kernel's: what each bit means is written down here once more.

const HUGE_PAGES = 512;
/** Of kpageflags. */
const LRU = 1n << 5n;
const HEAD = 1n << 15n;
const TAIL = 1n << 16n;
const HUGETLB = 1n << 17n;
const ZERO_PAGE = 1n << 24n;
/** Of pagemap. */
const PRESENT = 1n << 63n;
const EXCLUSIVE = 1n << 56n;

/** A kernel file as 64-bit words, all 0 until they are set. */
class Words {
  readonly #file: number;

  constructor(t: ExecutionContext, path: string) {
    this.#file = openSync(path, 'w+');
    ftruncateSync(this.#file, 8 * 8_192);
    t.teardown(() => closeSync(this.#file));
  }

  get(index: number): bigint {
    const bytes = Buffer.alloc(8);
    readSync(this.#file, bytes, 0, 8, 8 * index);
    return bytes.readBigUInt64LE();
  }

  set(index: number, word: bigint): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(word);
    writeSync(this.#file, bytes, 0, 8, 8 * index);
  }

  /** The file ends after this many words. */
  end(words: number): void {
    ftruncateSync(this.#file, 8 * words);
  }
}

/** A process with one region a row, over these files. Times are those of a monitor that ticks every 5 ms. */
class Fake {
  readonly pagemap: Words;
  readonly flags: Words;
  readonly mappers: Words;
  readonly bitmap: Words;
  readonly table;
  readonly check: IdlePageCheck;
  readonly #target;
  #nowUs = 0;

  constructor(t: ExecutionContext, rows: readonly Row[]) {
    const folder = folderFor(t);
    const path = (name: string) => join(folder, name);
    this.pagemap = new Words(t, path('pagemap'));
    this.flags = new Words(t, path('flags'));
    this.mappers = new Words(t, path('mappers'));
    this.bitmap = new Words(t, path('bitmap'));
    const files = new IdleFiles({
      bitmap: new IdleBitmap(path('bitmap')),
      flags: new KPageFlags(HUGE_PAGES, path('flags')),
      mappers: new KPageCount(path('mappers')),
      hugePages: HUGE_PAGES,
      openPagemap: (pid) => new Pagemap(pid, folder),
    });
    this.table = tableOf(rows);
    this.table.maxNrAccesses = 20;
    this.check = new IdlePageCheck(new ProcessSpace({ pid: process.pid }), files);
    t.teardown(() => this.check.close());
    const random = randomFrom(new RandomStreams(1).next());
    this.#target = { samples: new Samples(this.table), check: this.check, random, salt: 1 };
  }

  /** The page lies in this frame, which is of this kind. */
  map(page: number, frame: number, flags = LRU, more = EXCLUSIVE): void {
    this.pagemap.set(page, PRESENT | more | BigInt(frame));
    this.flags.set(frame, flags);
  }

  isMarked(frame: number): boolean {
    return ((this.bitmap.get(frame >> 6) >> BigInt(frame & 63)) & 1n) === 1n;
  }

  /** The mark goes, as the kernel's does when any process accesses the page. */
  access(frame: number): void {
    this.bitmap.set(frame >> 6, this.bitmap.get(frame >> 6) & ~(1n << BigInt(frame & 63)));
  }

  /** One sampling interval. @returns asked pages that the check cannot see */
  tick(during: () => void = () => {}): number {
    this.#nowUs += 5_000;
    prepare(this.#target, this.#nowUs);
    during();
    return count(this.#target, this.#nowUs);
  }

  get nrAccesses(): number[] {
    return [...this.table.nrAccesses.subarray(0, this.table.count)];
  }

  /** Of the region: pages that were looked up, in memory, and in memory unseen. */
  residence(region: number): number[] {
    return [this.table.lookedUp[region]!, this.table.present[region]!, this.table.unseen[region]!];
  }
}

test('a page is accessed if its mark is gone, and not if it is still there', (t) => {
  const fake = new Fake(t, [
    [100, 101],
    [200, 201],
    [300, 301],
  ]);
  fake.map(100, 1_000);
  fake.map(200, 1_001);
  const unseen = fake.tick(() => {
    t.true(fake.isMarked(1_000) && fake.isMarked(1_001));
    t.false(fake.isMarked(1_002), 'neighbours are left alone');
    fake.access(1_001);
  });
  t.is(unseen, 0);
  t.deepEqual(fake.nrAccesses, [0, 1, 0]);
  t.deepEqual(
    [0, 1, 2].map((region) => fake.residence(region)),
    [
      [1, 1, 0],
      [1, 1, 0],
      [1, 0, 0],
    ],
  );
});

test('the head of a huge page answers for all of it', (t) => {
  const fake = new Fake(t, [
    [1_024 + 7, 1_024 + 8],
    [1_024 + 300, 1_024 + 301],
  ]);
  for (let i = 0; i < HUGE_PAGES; i++) fake.map(1_024 + i, 2_048 + i, i === 0 ? LRU | HEAD : LRU | TAIL);
  fake.tick(() => t.true(fake.isMarked(2_048)));
  t.deepEqual(fake.nrAccesses, [0, 0]);
  t.is(
    fake.tick(() => fake.access(2_048)),
    0,
  );
  t.deepEqual(fake.nrAccesses, [1, 1]);
});

test('frames without an idle bit answer nothing, and count as unseen', (t) => {
  const kinds = { 'on no list': 0n, hugetlb: LRU | HUGETLB | HEAD };
  for (const [kind, flags] of Object.entries(kinds)) {
    const fake = new Fake(t, [[100, 101]]);
    fake.map(100, 1_000, flags);
    t.is(fake.tick(), 1, kind);
    t.deepEqual(fake.nrAccesses, [0], kind);
    t.deepEqual(fake.residence(0), [1, 1, 1], kind);
  }
});

test('the zero page takes no memory', (t) => {
  const fake = new Fake(t, [[100, 101]]);
  fake.map(100, 1_000, ZERO_PAGE);
  t.is(fake.tick(), 1);
  t.deepEqual([fake.nrAccesses, fake.residence(0)], [[0], [1, 0, 0]]);
});

test('a frame that loses its idle bit in the interval looks accessed, and is not', (t) => {
  const fake = new Fake(t, [[100, 101]]);
  fake.map(100, 1_000);
  const unseen = fake.tick(() => {
    fake.access(1_000);
    fake.flags.set(1_000, 0n);
  });
  t.is(unseen, 1);
  t.deepEqual([fake.nrAccesses, fake.residence(0)], [[0], [1, 1, 1]]);
});

test('a frame that is taken away in the interval looks accessed, and is not', (t) => {
  const fake = new Fake(t, [[100, 101]]);
  fake.map(100, 1_000);
  fake.tick(() => {
    fake.access(1_000);
    fake.map(100, 1_500);
  });
  t.deepEqual(fake.nrAccesses, [0]);
  fake.tick(() => fake.access(1_500));
  t.deepEqual(fake.nrAccesses, [1], 'the next tick asks about the frame that it has now');
});

test('a page that many processes map is asked about in some ticks, and then counts for all of them', (t) => {
  const fake = new Fake(t, [[100, 101]]);
  fake.map(100, 1_000, LRU, 0n);
  fake.mappers.set(1_000, 40n);
  let asked = 0;
  for (let tick = 0; tick < 20; tick++) {
    fake.tick(() => {
      if (fake.isMarked(1_000)) asked++;
      fake.access(1_000);
    });
  }
  t.true(asked < 20, `asked in ${asked} of 20 ticks`);
  t.deepEqual(fake.nrAccesses, [20]);
  t.deepEqual(fake.residence(0), [20, 20, 0]);
});

test('a hit that counts for several ticks does not pass the largest nrAccesses', (t) => {
  const fake = new Fake(t, [[100, 101]]);
  fake.map(100, 1_000, LRU, 0n);
  fake.mappers.set(1_000, 40n);
  fake.table.nrAccesses[0] = 19;
  for (let tick = 0; tick < 4; tick++) fake.tick(() => fake.access(1_000));
  t.deepEqual(fake.nrAccesses, [20]);
});

test('frame numbers that the kernel hides are an error that says what to do', (t) => {
  const fake = new Fake(t, [[100, 101]]);
  fake.map(100, 0);
  t.throws(() => fake.tick(), { code: 'PERMISSION', message: /CAP_SYS_ADMIN/ });
});

test('a pagemap that ends early means another address space: it is opened again', (t) => {
  const fake = new Fake(t, [[100, 101]]);
  fake.map(100, 1_000);
  fake.pagemap.end(0);
  fake.tick();
  t.is(fake.table.status, TargetStatus.STALE);
  const { status, ranges } = fake.check.readSpace();
  t.is(status, TargetStatus.OK);
  t.true(ranges.length >= 2, 'the mappings of this process');
  fake.table.status = status;
  fake.map(100, 1_000);
  fake.tick(() => fake.access(1_000));
  t.is(fake.table.status, TargetStatus.OK);
  t.deepEqual(fake.nrAccesses, [1]);
});
