import type { Readable } from 'node:stream';
import { Tokenizer, TokenParser } from '@streamparser/json';
import { type Attrs, DEFAULT_ATTRS, maxNrAccesses } from '../../core/attrs.js';
import type { CheckName } from '../../core/target.js';
import { type HeaderLine, RECORD_VERSION, type RecordedRegion, type RecordLine } from '../format.js';
import { bytesOf, microsecondsOf, nanosecondsOf, numberOf, percentOf } from './damo-text.js';
import { type Beside, linesOfPassage, type Passage, startedNs } from './passages.js';
import type { Spool } from './spool.js';

// A file of damo, the operator of the kernel's DAMON: one JSON document (compressed with zlib), a list with an object for
// each target, each with all of its snapshots. So the snapshots of several targets, which a record has mixed, have to be
// sorted into targets, and those read from it merged again; a Spool does both for files that are larger than the memory.

/** Keys that damo does not know it does not look at; so what it has no place for goes with each snapshot. */
interface Ours extends Beside {
  /** The place of the snapshot among those of all targets. */
  readonly nr: number;
  readonly maxNrAccesses: number;
}

/**
 * The document: in order of targets, and of each target's snapshots. Where the sampling interval changed on the way,
 * a snapshot has its own; where the number of samples in an aggregation interval did, the target has a second object.
 *
 * @param spool empty
 */
export async function* damoOf(passages: AsyncIterable<Passage>, spool: Spool): AsyncGenerator<string> {
  const entries = new Map<
    string,
    { readonly index: number; readonly target: number; readonly attrs: Attrs }
  >();
  let nr = 0;
  for await (const passage of passages) {
    const { attrs, target } = passage;
    const key = `${target.id} ${maxNrAccesses(attrs)}`;
    let entry = entries.get(key);
    if (!entry) {
      entry = { index: entries.size, target: target.id, attrs };
      entries.set(key, entry);
    }
    spool.add(entry.index, snapshotText(passage, nr++, entry.attrs));
  }
  let before = '[';
  for (const { index, target, attrs } of entries.values()) {
    const { sampleUs, aggrUs, updateUs } = attrs;
    yield `${before}{"kdamond_idx":0,"context_idx":0,"intervals":{"sample_us":"${sampleUs}","aggr_us":"${aggrUs}",` +
      `"ops_update_us":"${updateUs}"},"scheme_idx":null,"target_id":${target},"scheme_filters":[],"snapshots":[`;
    before = '';
    for (const snapshot of spool.texts(index)) {
      yield `${before}\n${snapshot}`;
      before = ',';
    }
    yield ']}';
    before = ',\n';
  }
  yield ']\n';
}

function snapshotText(passage: Passage, nr: number, { sampleUs }: Attrs): string {
  const { snapshot, header, attrs, beside } = passage;
  const started = startedNs(header);
  const time = (us: number) => started + BigInt(Math.round(us * 1_000));
  const regions = snapshot.regions.map(
    ([start, end, nrAccesses, age]) =>
      `{"start":"${BigInt(`0x${start}`)}","end":"${BigInt(`0x${end}`)}",` +
      `"nr_accesses":{"samples":${nrAccesses},"percent":null},"age":{"usec":null,"aggr_intervals":${age}}}`,
  );
  const ours = JSON.stringify({ nr, maxNrAccesses: snapshot.maxNrAccesses, ...beside } satisfies Ours);
  return (
    `{"start_time":"${time(snapshot.startUs)}","end_time":"${time(snapshot.endUs)}","regions":[${regions.join(',')}],` +
    `"total_bytes":null,"sample_interval_us":${attrs.sampleUs === sampleUs ? null : `"${attrs.sampleUs}"`},` +
    `"pagepulse":${ours}}`
  );
}

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
  /** Where it belongs among those of the other entries. */
  place: number;
}

/**
 * The record in a document of damo; whole again where `damoOf` wrote it. One of the kernel's DAMON gets a header that says
 * what is known: the intervals, and when it began by the clock of its times.
 *
 * @param spool empty
 * @param note is told what had to be assumed, in a sentence
 * @throws SyntaxError where it is no such document
 */
export async function* linesOfDamo(
  json: Readable,
  spool: Spool,
  note: (text: string) => void,
): AsyncGenerator<RecordLine> {
  const entries = await readEntries(json, spool);
  const heads = headsOf(entries, spool, note);
  const first = heads.reduce<Head | undefined>((a, b) => (a && a.place <= b.place ? a : b), undefined);
  if (!first) throw new SyntaxError('it has no snapshots of DAMON');
  const told = first.snapshot.pagepulse?.before?.[0];
  const begin = heads
    .map(({ snapshot }) => nanosecondsOf(snapshot.start_time))
    .reduce((a, b) => (b < a ? b : a));
  const started = told?.type === 'header' ? startedNs(told) : begin;
  let inForce = first.intervals;
  if (!told) yield headerOf(inForce, started);
  const relativeUs = (time: unknown) => Math.max(0, Number(nanosecondsOf(time) - started) / 1e3);
  while (heads.length > 0) {
    const head = heads.reduce((a, b) => (a.place <= b.place ? a : b));
    const { snapshot } = head;
    const ours = snapshot.pagepulse;
    const attrs = attrsOf(snapshot, head.intervals);
    const [startUs, endUs] = [relativeUs(snapshot.start_time), relativeUs(snapshot.end_time)];
    if (!ours && (attrs.sampleUs !== inForce.sampleUs || attrs.aggrUs !== inForce.aggrUs)) {
      yield { type: 'attrs', atUs: startUs, attrs, reason: 'auto' };
      inForce = attrs;
    }
    const { maxNrAccesses: max = maxNrAccesses(attrs), nr: _, ...beside } = ours ?? {};
    const regions = regionsOf(snapshot, attrs);
    const bare = { target: head.id, startUs, endUs, maxNrAccesses: max, regions };
    yield* linesOfPassage(bare, JSON.stringify(beside));
    if (!advance(head)) heads.splice(heads.indexOf(head), 1);
  }
  // The document was whole, so the recording is: one without an end would be taken for one that was killed.
  if (!told) yield { type: 'end', reason: 'stopped', stats: {} };
}

/** Numbers that a float64 does not hold stay text: the kernel has given its targets the addresses they lie at. */
class ExactTokenizer extends Tokenizer {
  protected override parseNumber(text: string): number {
    const number = Number(text);
    return Number.isInteger(number) && !Number.isSafeInteger(number) ? (text as unknown as number) : number;
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

/** Reads all of it: the keys of an entry may come after its snapshots. */
async function readEntries(json: Readable, spool: Spool): Promise<Entry[]> {
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
    entries[index] ??= { facts: new SnapshotFacts() };
    if (typeof key === 'number') {
      entries[index].facts.add((value ?? {}) as Partial<DamoSnapshot>);
      spool.add(index, JSON.stringify(value));
    } else {
      entries[index][key as (typeof keys)[number]] = value as never;
    }
  };
  for await (const piece of json) tokenizer.write(piece);
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
      place: 0,
    };
    advance(head);
    return head;
  });
}

/** @returns whether there is another snapshot */
function advance(head: Head): boolean {
  const next = head.texts.next();
  if (next.done) return false;
  head.snapshot = JSON.parse(next.value);
  head.place = head.snapshot.pagepulse?.nr ?? Number(nanosecondsOf(head.snapshot.end_time));
  return true;
}

/** Those of each entry; entries that do not say theirs were made in the same ones. */
function intervalsOf(entries: readonly Entry[], note: (text: string) => void): Map<Entry, Attrs> {
  const all = new Map<Entry, Attrs>();
  const untold = new SnapshotFacts();
  for (const entry of entries.filter((each) => each)) {
    const { facts, intervals } = entry;
    if (intervals) {
      const told = {
        ...DEFAULT_ATTRS,
        sampleUs: Math.round(microsecondsOf(intervals.sample_us)),
        aggrUs: Math.round(microsecondsOf(intervals.aggr_us)),
        updateUs: Math.round(microsecondsOf(intervals.ops_update_us)),
      };
      const isContradicted = facts.largestCount > BEYOND_INTERVALS * maxNrAccesses(told);
      all.set(entry, isContradicted ? { ...facts.intervals(told.sampleUs), updateUs: told.updateUs } : told);
      if (isContradicted)
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
