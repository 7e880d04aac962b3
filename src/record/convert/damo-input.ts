import { Tokenizer, TokenParser } from '@streamparser/json';
import { type Attrs, maxNrAccesses } from '../../core/attrs.js';
import { type HeaderLine, RECORD_VERSION, type RecordedRegion, type RecordLine } from '../format.js';
import { BYTES_OF_LINE, type InputBudget, JsonLimits } from '../limits.js';
import { bytesOf, type DamoSnapshot, microsecondsOf, nanosecondsOf, numberOf, percentOf } from './damo.js';
import { IntervalFacts, intervalsOf, isGiven, type StatedIntervals } from './damo-intervals.js';
import { checked, LACKS_FIELDS, linesOfSnapshot, startedNs } from './snapshots.js';
import { SpillFile } from './spill-file.js';

const ENTRY_KEYS = ['kdamond_idx', 'context_idx', 'scheme_idx', 'target_id', 'intervals'] as const;

/** An element of the document: a target, without its snapshots. */
interface Entry {
  readonly facts: IntervalFacts;
  kdamond_idx?: unknown;
  context_idx?: unknown;
  scheme_idx?: unknown;
  target_id?: unknown;
  intervals?: StatedIntervals | null;
}

/**
 * The record in a damo document; exactly the one from which `damoOf` made it. A recording of the kernel's DAMON gets a header
 * with what is known: the intervals, and when it started by the clock of its times.
 *
 * @param folder for a temporary file
 * @param note called with each assumption, a sentence
 * @throws SyntaxError if it is not such a document
 */
export async function* linesOfDamo(
  json: AsyncIterable<Uint8Array>,
  budget: InputBudget,
  folder: string,
  note: (text: string) => void,
): AsyncGenerator<RecordLine> {
  const spill = new SpillFile(folder);
  try {
    const entries = await readEntries(json, budget, spill);
    yield* mergedLines(cursorsOf(entries, spill, note));
  } finally {
    spill.close();
  }
}

function* mergedLines(cursors: readonly Cursor[]): Generator<RecordLine> {
  const heap = new CursorHeap(cursors);
  const { first } = heap;
  if (!first) throw new SyntaxError('there are no DAMON snapshots');
  const ownHeader = first.snapshot.pagepulse?.before?.[0];
  const earliestNs = cursors.reduce((ns, { startNs }) => (startNs < ns ? startNs : ns), cursors[0]!.startNs);
  const started = ownHeader?.type === 'header' ? startedNs(ownHeader) : earliestNs;
  const relativeUs = (ns: bigint) => Math.max(0, Number(ns - started) / 1e3);
  let inForce = first.intervals;
  if (!ownHeader) yield checked(headerOf(inForce, started));
  for (let cursor: Cursor | undefined = first; cursor; cursor = heap.first) {
    try {
      const { snapshot } = cursor;
      const attrs = attrsOf(snapshot, cursor.intervals);
      const [startUs, endUs] = [relativeUs(cursor.startNs), relativeUs(nanosecondsOf(snapshot.end_time))];
      const hasChanged = attrs.sampleUs !== inForce.sampleUs || attrs.aggrUs !== inForce.aggrUs;
      if (!snapshot.pagepulse && hasChanged) {
        yield checked({ type: 'attrs', atUs: startUs, attrs, reason: 'auto' });
        inForce = attrs;
      }
      const { maxNrAccesses: max = maxNrAccesses(attrs), nr: _, ...sidecar } = snapshot.pagepulse ?? {};
      const bare = {
        target: cursor.id,
        startUs,
        endUs,
        maxNrAccesses: max,
        regions: regionsOf(snapshot, attrs),
      };
      yield* linesOfSnapshot(bare, JSON.stringify(sidecar));
      heap.advanceFirst();
    } catch (error) {
      throw inSnapshot(error, cursor);
    }
  }
  // The document was complete. A record without an end would count as cut off.
  if (!ownHeader) yield { type: 'end', reason: 'stopped', stats: {} };
}

/** Keeps numbers that a float64 cannot hold as text: some kernels use addresses as target ids. */
class ExactTokenizer extends Tokenizer {
  protected override parseNumber(text: string): number {
    const number = Number(text);
    const isExact = Number.isFinite(number) && (Number.isSafeInteger(number) || !Number.isInteger(number));
    return isExact ? number : (text as unknown as number);
  }
}

/** The document, its entries, and the snapshots of each: their elements are read one by one. */
const STREAMED_DEPTH = 3;
/** All entries, but not their snapshots, are in memory. */
const MAX_ENTRIES = 65_536;

/** Reads the whole document: the keys of an entry may come after its snapshots. */
async function readEntries(
  json: AsyncIterable<Uint8Array>,
  budget: InputBudget,
  spill: SpillFile,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  const tokenizer = new ExactTokenizer();
  const parser = new TokenParser({
    paths: ['$.*.snapshots.*', ...ENTRY_KEYS.map((key) => `$.*.${key}`)],
    keepStack: false,
  });
  tokenizer.onToken = (token) => parser.write(token);
  parser.onValue = ({ value, key, stack }) => {
    const index = Number(stack[1]?.key);
    if (index >= MAX_ENTRIES) throw new RangeError(`more than ${MAX_ENTRIES} entries`);
    budget.spend(BYTES_OF_LINE);
    entries[index] ??= { facts: new IntervalFacts() };
    if (typeof key === 'number') {
      entries[index].facts.add((value ?? {}) as Partial<DamoSnapshot>);
      spill.add(index, JSON.stringify(value));
    } else {
      entries[index][key as (typeof ENTRY_KEYS)[number]] = value as never;
    }
  };
  const limits = new JsonLimits(STREAMED_DEPTH);
  for await (const piece of json) {
    limits.take(piece);
    tokenizer.write(piece);
  }
  if (!parser.isEnded) throw new SyntaxError('it is cut off');
  return entries;
}

function cursorsOf(entries: readonly Entry[], spill: SpillFile, note: (text: string) => void): Cursor[] {
  const intervals = intervalsOf(entries, note);
  const ids = new Map<string, number>();
  const used = new Set<number>();
  const idOf = ({ kdamond_idx = null, context_idx = null, scheme_idx = null, target_id = null }: Entry) => {
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
  return spill.streams.map((index, order) => {
    const entry = entries[index]!;
    return new Cursor(order, idOf(entry), intervals.get(entry)!, spill.texts(index));
  });
}

/** The next snapshot of an entry. */
class Cursor {
  snapshot!: DamoSnapshot;
  startNs = 0n;
  /** The number of the snapshot in its entry, from 1. */
  #number = 0;
  /** Sorts it among the snapshots of all entries. */
  #position = 0;

  constructor(
    readonly order: number,
    readonly id: number,
    readonly intervals: Attrs,
    readonly texts: Iterator<string>,
  ) {
    this.advance();
  }

  get place(): string {
    return `snapshot ${this.#number} of target ${this.id}`;
  }

  /** Returns whether there is another snapshot. */
  advance(): boolean {
    const next = this.texts.next();
    if (next.done) return false;
    this.#number++;
    try {
      this.snapshot = JSON.parse(next.value);
      this.startNs = nanosecondsOf(this.snapshot.start_time);
      this.#position = this.snapshot.pagepulse?.nr ?? Number(nanosecondsOf(this.snapshot.end_time));
    } catch (error) {
      throw inSnapshot(error, this);
    }
    return true;
  }

  /** At equal positions, the earlier entry comes first. */
  isBefore(other: Cursor): boolean {
    return (
      this.#position < other.#position || (this.#position === other.#position && this.order < other.order)
    );
  }
}

function inSnapshot(error: unknown, { place }: Cursor): unknown {
  if (!(error instanceof SyntaxError || error instanceof TypeError)) return error;
  const reason = error instanceof TypeError ? LACKS_FIELDS : error.message;
  return new SyntaxError(`${place}: ${reason}`, { cause: error });
}

/** A binary heap, since a file may have thousands of targets. */
class CursorHeap {
  readonly #heap: Cursor[];

  constructor(cursors: readonly Cursor[]) {
    this.#heap = [...cursors].sort((a, b) => (a.isBefore(b) ? -1 : 1));
  }

  get first(): Cursor | undefined {
    return this.#heap[0];
  }

  advanceFirst(): void {
    const heap = this.#heap;
    let cursor = heap[0]!;
    if (!cursor.advance()) {
      cursor = heap.pop()!;
      if (heap.length === 0) return;
    }
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1]!.isBefore(heap[child]!)) child++;
      if (!heap[child]!.isBefore(cursor)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = cursor;
  }
}

/** A snapshot made while the kernel tuned its intervals states its own sampling interval. */
function attrsOf({ sample_interval_us: own }: DamoSnapshot, intervals: Attrs): Attrs {
  if (!isGiven(own)) return intervals;
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
    check: 'DAMON', // the file does not say which operations set it used
    attrs,
  };
}

function regionsOf({ regions }: DamoSnapshot, attrs: Attrs): RecordedRegion[] {
  return regions.flatMap(({ start, end, nr_accesses, age }): RecordedRegion[] => {
    const [from, to] = [bytesOf(start), bytesOf(end)];
    if (from >= to) return []; // damo ends some files with an empty region
    const { samples, percent } = nr_accesses;
    const share = () => Math.round((percentOf(percent) * maxNrAccesses(attrs)) / 100);
    const nrAccesses = isGiven(samples) ? numberOf(samples) : share();
    return [[from.toString(16), to.toString(16), nrAccesses, ageOf(age, attrs)]];
  });
}

/** The first kernels with DAMON did not report ages. */
function ageOf(
  { aggr_intervals: intervals, usec }: DamoSnapshot['regions'][number]['age'],
  { aggrUs }: Attrs,
) {
  if (isGiven(intervals)) return numberOf(intervals);
  return isGiven(usec) ? Math.floor(microsecondsOf(usec) / aggrUs) : 0;
}
