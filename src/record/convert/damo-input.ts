import { Tokenizer, TokenParser } from '@streamparser/json';
import { type Attrs, DEFAULT_ATTRS, maxNrAccesses } from '../../core/attrs.js';
import type { CheckName } from '../../core/target.js';
import { type HeaderLine, RECORD_VERSION, type RecordedRegion, type RecordLine } from '../format.js';
import { BYTES_OF_LINE, type InputBudget, JsonLimits } from '../limits.js';
import type { Ours } from './damo.js';
import { bytesOf, microsecondsOf, nanosecondsOf, numberOf, percentOf } from './damo-text.js';
import { checked, LACKS_FIELDS, linesOfPassage, startedNs } from './passages.js';
import type { Spool } from './spool.js';

/** What damo says of a target; of a region it may know nrAccesses in percent and the age in microseconds alone. */
interface Entry {
  readonly facts: SnapshotFacts;
  kdamond_idx?: unknown;
  context_idx?: unknown;
  scheme_idx?: unknown;
  target_id?: unknown;
  intervals?: {
    readonly sample_us: unknown;
    readonly aggr_us: unknown;
    readonly ops_update_us: unknown;
  } | null;
}

interface DamoSnapshot {
  readonly start_time: unknown;
  readonly end_time: unknown;
  readonly regions: readonly {
    readonly start: unknown;
    readonly end: unknown;
    readonly nr_accesses: { readonly samples?: unknown; readonly percent?: unknown };
    readonly age: { readonly usec?: unknown; readonly aggr_intervals?: unknown };
  }[];
  readonly sample_interval_us?: unknown;
  readonly pagepulse?: Ours;
}

/** The next snapshot of an entry. */
interface Head {
  readonly id: number;
  readonly intervals: Attrs;
  readonly texts: Iterator<string>;
  snapshot: DamoSnapshot;
  /** Of the snapshot in its entry, from 1 on. */
  number: number;
  startNs: bigint;
  /** Where it belongs among those of the other entries. */
  place: number;
}

/**
 * The record in a document of damo; whole again where `damoOf` wrote it. One of the kernel's DAMON gets a header that says
 * what is known: the intervals, and when it began by the clock of its times.
 *
 * @param spool empty
 * @param note is told what had to be assumed, in a sentence
 * @throws SyntaxError if it is not such a document
 */
export async function* linesOfDamo(
  json: AsyncIterable<Uint8Array>,
  budget: InputBudget,
  spool: Spool,
  note: (text: string) => void,
): AsyncGenerator<RecordLine> {
  const entries = await readEntries(json, budget, spool);
  const heads = new Heads(headsOf(entries, spool, note));
  const { first } = heads;
  if (!first) throw new SyntaxError('it has no snapshots of DAMON');
  const told = first.snapshot.pagepulse?.before?.[0];
  const begin = heads.earliest;
  const started = told?.type === 'header' ? startedNs(told) : begin;
  let inForce = first.intervals;
  if (!told) yield checked(headerOf(inForce, started));
  const relativeUs = (ns: bigint) => Math.max(0, Number(ns - started) / 1e3);
  for (let head: Head | undefined = first; head; head = heads.first) {
    try {
      const { snapshot } = head;
      const ours = snapshot.pagepulse;
      const attrs = attrsOf(snapshot, head.intervals);
      const [startUs, endUs] = [relativeUs(head.startNs), relativeUs(nanosecondsOf(snapshot.end_time))];
      if (!ours && (attrs.sampleUs !== inForce.sampleUs || attrs.aggrUs !== inForce.aggrUs)) {
        yield checked({ type: 'attrs', atUs: startUs, attrs, reason: 'auto' });
        inForce = attrs;
      }
      const { maxNrAccesses: max = maxNrAccesses(attrs), nr: _, ...beside } = ours ?? {};
      const regions = regionsOf(snapshot, attrs);
      const bare = { target: head.id, startUs, endUs, maxNrAccesses: max, regions };
      yield* linesOfPassage(bare, JSON.stringify(beside));
      heads.next();
    } catch (error) {
      throw inSnapshot(error, head);
    }
  }
  // The document was whole, so the recording is: one without an end would be taken for one that was killed.
  if (!told) yield { type: 'end', reason: 'stopped', stats: {} };
}

function inSnapshot(error: unknown, { id, number }: Head): unknown {
  if (!(error instanceof SyntaxError || error instanceof TypeError)) return error;
  const reason = error instanceof TypeError ? LACKS_FIELDS : error.message;
  return new SyntaxError(`snapshot ${number} of target ${id}: ${reason}`, { cause: error });
}

/** Numbers that a float64 does not hold stay text: the kernel has given its targets the addresses they lie at. */
class ExactTokenizer extends Tokenizer {
  protected override parseNumber(text: string): number {
    const number = Number(text);
    const isExact = Number.isFinite(number) && (Number.isSafeInteger(number) || !Number.isInteger(number));
    return isExact ? number : (text as unknown as number);
  }
}

/** Enough for a quartile; a file may have millions of snapshots. */
const MAX_DURATIONS = 4_096;

/** More samples in an aggregation interval than there were shows that the file's intervals are not those of its counts. */
const BEYOND_INTERVALS = 1.5;

/** What the snapshots of an entry say themselves of the intervals they were made in. */
class SnapshotFacts {
  largestCount = 0;
  readonly durationsUs: number[] = [];
  /** Aggregation intervals in sampling intervals, of snapshots that say the latter. */
  readonly counts: number[] = [];

  /** What is wrong with a snapshot is said when it is read. */
  add({ start_time, end_time, regions, sample_interval_us: own }: Partial<DamoSnapshot>): void {
    try {
      const us = Number(nanosecondsOf(end_time) - nanosecondsOf(start_time)) / 1e3;
      if (us > 0 && this.durationsUs.length < MAX_DURATIONS) {
        this.durationsUs.push(us);
        if (isGiven(own)) this.counts.push(us / microsecondsOf(own));
      }
      for (const { nr_accesses } of regions ?? []) {
        if (!isGiven(nr_accesses.samples)) continue;
        this.largestCount = Math.max(this.largestCount, numberOf(nr_accesses.samples));
      }
    } catch {}
  }

  /**
   * The aggregation interval is the lower quartile of the snapshots' times: those after one that was late or left out are
   * longer. It has as many sampling intervals as the largest count,
   * unless that is less than the 20 of the kernel's defaults, to which its own tuning keeps too: then nothing was accessed
   * all the time.
   *
   * @param sampleUs where it is known
   */
  intervals(sampleUs?: number): Attrs {
    const aggrUs = lowerQuartile(this.durationsUs) ?? DEFAULT_ATTRS.aggrUs;
    const told = sampleUs ? aggrUs / sampleUs : (lowerQuartile(this.counts) ?? maxNrAccesses(DEFAULT_ATTRS));
    const count = Math.max(this.largestCount, Math.round(told));
    const sample = Math.max(1, Math.round(aggrUs / count));
    return { ...DEFAULT_ATTRS, sampleUs: sample, aggrUs: sample * count };
  }
}

function lowerQuartile(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[values.length >> 2];
}

/** The document, its entries, and the snapshots of each. */
const LISTS_READ_PIECEWISE = 3;
/** Targets, and intervals of each: all are in memory. */
const MAX_ENTRIES = 65_536;

/** Reads all of it: the keys of an entry may come after its snapshots. */
async function readEntries(
  json: AsyncIterable<Uint8Array>,
  budget: InputBudget,
  spool: Spool,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  const keys = ['kdamond_idx', 'context_idx', 'scheme_idx', 'target_id', 'intervals'] as const;
  const tokenizer = new ExactTokenizer();
  const parser = new TokenParser({
    paths: ['$.*.snapshots.*', ...keys.map((key) => `$.*.${key}`)],
    keepStack: false,
  });
  tokenizer.onToken = (token) => parser.write(token);
  parser.onValue = ({ value, key, stack }) => {
    const index = Number(stack[1]?.key);
    if (index >= MAX_ENTRIES) throw new RangeError(`it has more than ${MAX_ENTRIES} entries`);
    budget.spend(BYTES_OF_LINE);
    entries[index] ??= { facts: new SnapshotFacts() };
    if (typeof key === 'number') {
      entries[index].facts.add((value ?? {}) as Partial<DamoSnapshot>);
      spool.add(index, JSON.stringify(value));
    } else {
      entries[index][key as (typeof keys)[number]] = value as never;
    }
  };
  const limits = new JsonLimits(LISTS_READ_PIECEWISE);
  for await (const piece of json) {
    limits.take(piece);
    tokenizer.write(piece);
  }
  if (!parser.isEnded) throw new SyntaxError('it breaks off before its end');
  return entries;
}

function headsOf(entries: readonly Entry[], spool: Spool, note: (text: string) => void): Head[] {
  const intervals = intervalsOf(entries, note);
  const ids = new Map<string, number>();
  const used = new Set<number>();
  const idOf = (entry: Entry) => {
    const { kdamond_idx = null, context_idx = null, scheme_idx = null, target_id = null } = entry;
    const key = JSON.stringify([kdamond_idx, context_idx, scheme_idx, target_id]);
    let id = ids.get(key);
    if (id === undefined) {
      id = typeof target_id === 'number' && target_id >= 0 && !used.has(target_id) ? target_id : 0;
      while (used.has(id)) id++;
      ids.set(key, id);
      used.add(id);
    }
    return id;
  };
  return spool.streams.map((index) => {
    const head = {
      id: idOf(entries[index]!),
      intervals: intervals.get(entries[index]!)!,
      texts: spool.texts(index),
      snapshot: undefined as unknown as DamoSnapshot,
      number: 0,
      startNs: 0n,
      place: 0,
    };
    advance(head);
    return head;
  });
}

/** The heads as a binary heap: a file may have thousands of targets. Of equal places the earlier entry comes first. */
class Heads {
  readonly #heap: Head[];
  readonly #order: ReadonlyMap<Head, number>;
  /** When the first snapshots began. */
  readonly earliest: bigint;

  constructor(heads: readonly Head[]) {
    this.#order = new Map(heads.map((head, i) => [head, i]));
    this.#heap = [...heads].sort((a, b) => (this.#isBefore(a, b) ? -1 : 1));
    const starts = heads.map(({ startNs }) => startNs);
    this.earliest = starts.reduce((a, b) => (b < a ? b : a), starts[0] ?? 0n);
  }

  get first(): Head | undefined {
    return this.#heap[0];
  }

  /** Goes on to the next snapshot of the first one. */
  next(): void {
    const heap = this.#heap;
    let head = heap[0]!;
    if (!advance(head)) {
      head = heap.pop()!;
      if (heap.length === 0) return;
    }
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && this.#isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#isBefore(heap[child]!, head)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = head;
  }

  #isBefore(a: Head, b: Head): boolean {
    return a.place < b.place || (a.place === b.place && this.#order.get(a)! < this.#order.get(b)!);
  }
}

/** @returns whether there is another snapshot */
function advance(head: Head): boolean {
  const next = head.texts.next();
  if (next.done) return false;
  head.number++;
  try {
    head.snapshot = JSON.parse(next.value);
    head.startNs = nanosecondsOf(head.snapshot.start_time);
    head.place = head.snapshot.pagepulse?.nr ?? Number(nanosecondsOf(head.snapshot.end_time));
  } catch (error) {
    throw inSnapshot(error, head);
  }
  return true;
}

/** Of entries whose intervals are not those of their counts. */
const MAX_NOTES = 10;

/** Those of each entry; entries that do not say theirs were made in the same ones. */
function intervalsOf(entries: readonly Entry[], note: (text: string) => void): Map<Entry, Attrs> {
  const all = new Map<Entry, Attrs>();
  const untold = new SnapshotFacts();
  let contradicted = 0;
  for (const [index, entry] of entries.entries()) {
    if (!entry) continue;
    const { facts, intervals } = entry;
    if (intervals) {
      const told = toldIntervals(intervals, index);
      const isContradicted = facts.largestCount > BEYOND_INTERVALS * maxNrAccesses(told);
      all.set(entry, isContradicted ? { ...facts.intervals(told.sampleUs), updateUs: told.updateUs } : told);
      if (isContradicted && ++contradicted <= MAX_NOTES)
        note(`the counts do not fit the intervals in the file: ${assumed(all.get(entry)!)}`);
      continue;
    }
    untold.largestCount = Math.max(untold.largestCount, facts.largestCount);
    untold.durationsUs.push(...facts.durationsUs);
    untold.counts.push(...facts.counts);
  }
  const attrs = untold.intervals();
  const without = entries.filter((entry) => entry && !entry.intervals);
  for (const entry of without) all.set(entry, attrs);
  if (without.length > 0) note(`damo did not write its intervals: ${assumed(attrs)}`);
  return all;
}

function toldIntervals(
  { sample_us, aggr_us, ops_update_us }: NonNullable<Entry['intervals']>,
  entry: number,
): Attrs {
  try {
    const [sampleUs, aggrUs, updateUs] = [sample_us, aggr_us, ops_update_us].map((each) =>
      Math.round(microsecondsOf(each)),
    ) as [number, number, number];
    return { ...DEFAULT_ATTRS, sampleUs, aggrUs, updateUs };
  } catch (error) {
    throw new SyntaxError(`intervals of entry ${entry}: ${(error as Error).message}`, { cause: error });
  }
}

function assumed({ sampleUs, aggrUs }: Attrs): string {
  return (
    `${sampleUs / 1e3} ms and ${aggrUs / 1e3} ms are assumed, ` +
    'from the times of the snapshots and the largest count of accesses'
  );
}

/** A snapshot made while the kernel tuned its intervals has a sampling interval of its own. */
function attrsOf({ sample_interval_us: own }: DamoSnapshot, intervals: Attrs): Attrs {
  if (own === undefined || own === null) return intervals;
  const sampleUs = Math.round(microsecondsOf(own));
  return { ...intervals, sampleUs, aggrUs: sampleUs * maxNrAccesses(intervals) };
}

function headerOf(attrs: Attrs, started: bigint): HeaderLine {
  return {
    type: 'header',
    version: RECORD_VERSION,
    tool: 'damo',
    startedAt: '',
    startedMonotonicNs: String(started),
    kernel: '',
    pageSize: 4_096,
    // The kernel's own, which the file does not name.
    check: 'DAMON' as CheckName,
    attrs,
  };
}

function regionsOf({ regions }: DamoSnapshot, attrs: Attrs): RecordedRegion[] {
  return regions.flatMap(({ start, end, nr_accesses, age }): RecordedRegion[] => {
    const [from, to] = [bytesOf(start), bytesOf(end)];
    if (from >= to) return []; // damo closes some files with a region of nothing
    const { samples, percent } = nr_accesses;
    const { aggr_intervals: intervals, usec } = age;
    return [
      [
        from.toString(16),
        to.toString(16),
        isGiven(samples) ? numberOf(samples) : Math.round((percentOf(percent) * maxNrAccesses(attrs)) / 100),
        // The first kernels did not tell ages.
        isGiven(intervals)
          ? numberOf(intervals)
          : isGiven(usec)
            ? Math.floor(microsecondsOf(usec) / attrs.aggrUs)
            : 0,
      ],
    ];
  });
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
