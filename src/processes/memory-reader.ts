import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TargetInfo } from '../core/target.js';
import type { Mapping } from '../kernel/mapping.js';
import { mapsPieces, parseMappings } from '../kernel/maps.js';
import { pageSize } from '../kernel/page-size.js';
import { inSlices } from '../kernel/slices.js';
import { Smaps, smapsPieces } from '../kernel/smaps.js';
import { readStat } from '../kernel/stat.js';
import { readResidentBytes } from '../kernel/status.js';

/**
 * [start, end) as hex addresses; permissions and name as in /proc/PID/maps: a path, `[heap]`, `[anon:name]`, or empty for
 * memory without a name.
 */
export type RecordedMapping = readonly [start: string, end: string, permissions: string, name: string];

/** What a target has mapped, and how much of that is resident. Left out where it could not be read. */
export interface RecordedMemory {
  /** In address order; in a `mappings` line those that are new, or not what they were. */
  readonly mappings?: readonly RecordedMapping[];
  /** Of the whole process. */
  readonly residentBytes?: number;
  /** Bytes of single mappings, by their start; in a `mappings` line those that changed. */
  readonly resident?: readonly (readonly [start: string, bytes: number])[];
}

/** What of it is not as it was. */
export interface MemoryChange extends RecordedMemory {
  /** Starts of mappings that are gone. They go before `mappings` are added. */
  readonly removed?: readonly string[];
}

/** Of one core, for all targets together: what reading the mappings may take, and the same again what is resident. */
const CPU_SHARE = 0.002;

/** What is resident of each mapping changes all the time: a report needs no more than this. */
const RESIDENT_INTERVAL_MS = 5_000;

/** Of all targets together, the most text of mappings whose parts are kept: some ten times that memory. */
const MOST_TEXT_BYTES = 48 * 2 ** 20;

/** The longest that the last look at all targets may take: somebody is waiting. */
const LAST_LOOK_MS = 500;

/** What is watched: a Monitor. */
interface Watched {
  readonly targets: readonly TargetInfo[];
  readonly attrs: { readonly updateUs: number };
}

/**
 * Tells what targets have mapped and what of that is resident, whenever that is due: the mappings once in an update
 * interval, and what of each is resident (a walk through all resident pages, some 6 ms for 512 MiB) every five seconds; both
 * less often where that would cost more than 0.2 % of a core each. What cannot be read (the process is ending, it is
 * protected, it is synthetic, it has too many mappings) is left out.
 *
 * A process of 65,530 mappings takes 300 ms to read. What takes longer than a few milliseconds is read between other
 * events, and told by a later call.
 */
export class MemoryReader {
  /** As long as anybody has a snapshot of the target. */
  readonly #memories = new WeakMap<TargetInfo, TargetMemory>();

  constructor(readonly watched: Watched) {}

  /** What has changed since the last call, the first time all; undefined where nothing has, or it is not due. */
  change(target: TargetInfo): MemoryChange | undefined {
    if (target.pid === 0) return; // it exists only in memory
    const memory = this.#memoryOf(target);
    const nowMs = performance.now();
    if (memory.isDue(nowMs)) inSlices(memory.reading(nowMs, this.watched, this.#textBytes));
    return memory.takeChange();
  }

  /** All of a target that has just come, once it has been read. */
  async first(target: TargetInfo): Promise<MemoryChange | undefined> {
    const change = this.change(target);
    if (change) return change;
    const memory = this.#memories.get(target);
    while (memory?.isReading) await nextTurn();
    return memory?.takeChange();
  }

  /** The same of all that are watched, due or not, at the end of a recording: as many as half a second is enough for. */
  *lastChanges(): Generator<[TargetInfo, MemoryChange]> {
    const endMs = performance.now() + LAST_LOOK_MS;
    for (const target of this.watched.targets) {
      if (performance.now() > endMs) return;
      if (target.pid === 0) continue;
      const memory = this.#memoryOf(target);
      const before = memory.takeChange();
      if (before) yield [target, before];
      const reading = memory.reading(Number.POSITIVE_INFINITY, this.watched, this.#textBytes);
      while (!reading.next().done && performance.now() <= endMs);
      reading.return();
      const change = memory.takeChange();
      if (change) yield [target, change];
    }
  }

  /** All that is known of a target now. */
  whole(target: TargetInfo): RecordedMemory {
    return this.#memories.get(target)?.whole() ?? {};
  }

  #memoryOf(target: TargetInfo): TargetMemory {
    let memory = this.#memories.get(target);
    if (!memory) {
      memory = new TargetMemory(target);
      this.#memories.set(target, memory);
    }
    return memory;
  }

  /** Of all targets, the text whose mappings are kept. */
  readonly #textBytes = (): number =>
    this.watched.targets.reduce((sum, target) => sum + (this.#memories.get(target)?.textBytes ?? 0), 0);
}

/** When something is due again: after a time, and not before what it costs is worth it. */
class Pace {
  dueMs = Number.NEGATIVE_INFINITY;

  /** Does some work, with its pauses; only what it does between them costs. */
  *run<T>(work: Generator<void, T>, intervalMs: number, msPerCpuMs: number): Generator<void, T> {
    let cpuMs = 0;
    try {
      for (;;) {
        const before = process.cpuUsage();
        const { done, value } = work.next();
        const { user, system } = process.cpuUsage(before);
        cpuMs += (user + system) / 1_000;
        if (done) return value;
        yield;
      }
    } finally {
      this.dueMs = performance.now() + Math.max(intervalMs, cpuMs * msPerCpuMs);
    }
  }
}

/** RecordedMapping, and what of it is resident where that is known. */
interface KnownMapping {
  readonly mapping: RecordedMapping;
  residentBytes: number | undefined;
}

class TargetMemory {
  readonly #mappingsPace = new Pace();
  readonly #residentPace = new Pace();
  /** Length of the maps that are known, and what tells them from others. */
  textBytes = 0;
  #mapsHash = '';
  #reading: Generator<void, void> | undefined;
  #change: MemoryChange | undefined;
  /** By their first pages, in address order. */
  #known = new Map<number, KnownMapping>();
  #residentBytes: number | undefined;

  constructor(readonly target: TargetInfo) {}

  get isReading(): boolean {
    return this.#reading !== undefined;
  }

  isDue(nowMs: number): boolean {
    return !this.#reading && !this.#change && nowMs >= this.#mappingsPace.dueMs;
  }

  whole(): RecordedMemory {
    const known = [...this.#known.values()];
    const resident = known.flatMap(({ mapping: [start], residentBytes }) =>
      residentBytes === undefined ? [] : [[start, residentBytes] as const],
    );
    return {
      ...(known.length > 0 && { mappings: known.map(({ mapping }) => mapping) }),
      ...(this.#residentBytes !== undefined && { residentBytes: this.#residentBytes }),
      ...(resident.length > 0 && { resident }),
    };
  }

  /** What was read since the last call; undefined where nothing has changed. */
  takeChange(): MemoryChange | undefined {
    const change = this.#change;
    this.#change = undefined;
    return change;
  }

  /**
   * The reading that goes on, or a new one.
   *
   * @param nowMs infinite to read everything, due or not
   * @param allTextBytes of all targets
   */
  reading(nowMs: number, watched: Watched, allTextBytes: () => number): Generator<void, void> {
    this.#reading ??= this.#read(nowMs, watched, allTextBytes);
    return this.#reading;
  }

  /**
   * Who it is is looked at last: then all that was read before was of this process. One that is ending has no memory
   * left, and what was read may be a part.
   */
  *#read(nowMs: number, { targets, attrs }: Watched, allTextBytes: () => number): Generator<void, void> {
    const { pid, startTime } = this.target;
    /** How long to wait for each millisecond of CPU that reading takes. */
    const msPerCpuMs = targets.length / CPU_SHARE;
    try {
      const maps = yield* this.#mappingsPace.run(this.#readMaps(), attrs.updateUs / 1_000, msPerCpuMs);
      const smaps =
        nowMs >= this.#residentPace.dueMs
          ? yield* this.#residentPace.run(readSmaps(pid), RESIDENT_INTERVAL_MS, msPerCpuMs)
          : undefined;
      const residentBytes = readResidentBytes(pid);
      if (!residentBytes || maps.bytes === 0 || readStat(pid).startTime !== startTime) return;
      const fits =
        maps.bytes <= this.textBytes || allTextBytes() + maps.bytes - this.textBytes <= MOST_TEXT_BYTES;
      const change = {
        ...(fits && maps.mappings && this.#takeMappings(maps.mappings)),
        ...this.#takeResidentBytes(residentBytes),
        ...(smaps && this.#takeSmaps(smaps)),
      };
      if (fits) [this.textBytes, this.#mapsHash] = [maps.bytes, maps.hash];
      if (Object.keys(change).length > 0) this.#change = change;
    } catch {
      // It is ending, or protected: the monitor says so, where it matters.
    } finally {
      this.#reading = undefined;
    }
  }

  /** Without mappings where the text is what it was: for most of the time, and most processes. */
  *#readMaps(): Generator<void, { bytes: number; hash: string; mappings?: Mapping[] }> {
    const sum = createHash('sha1');
    const pieces: Buffer[] = [];
    let bytes = 0;
    for (const lines of mapsPieces(this.target.pid)) {
      sum.update(lines);
      pieces.push(Buffer.from(lines));
      bytes += lines.length;
      yield;
    }
    const hash = sum.digest('base64');
    if (hash === this.#mapsHash) return { bytes, hash };
    const mappings: Mapping[] = [];
    for (const lines of pieces) {
      for (const mapping of parseMappings(lines.toString(), pageSize())) mappings.push(mapping);
      yield;
    }
    return { bytes, hash, mappings };
  }

  #takeMappings(found: readonly Mapping[]): MemoryChange {
    const before = this.#known;
    this.#known = new Map();
    const mappings: RecordedMapping[] = [];
    for (const { startPage, endPage, permissions, name } of found) {
      const mapping = [addressOf(startPage), addressOf(endPage), permissions, name] as const;
      const old = before.get(startPage);
      if (old && mapping.every((field, i) => field === old.mapping[i])) {
        this.#known.set(startPage, old);
      } else {
        this.#known.set(startPage, { mapping, residentBytes: undefined });
        mappings.push(mapping);
      }
    }
    const removed = [...before.keys()].filter((page) => !this.#known.has(page)).map(addressOf);
    return { ...(removed.length > 0 && { removed }), ...(mappings.length > 0 && { mappings }) };
  }

  #takeResidentBytes(residentBytes: number): MemoryChange {
    if (residentBytes === this.#residentBytes) return {};
    this.#residentBytes = residentBytes;
    return { residentBytes };
  }

  #takeSmaps(smaps: Smaps): MemoryChange {
    const resident: [string, number][] = [];
    for (let i = 0; i < smaps.count; i++) {
      const known = this.#known.get(smaps.startPage[i]!);
      const residentBytes = smaps.residentBytes[i]!;
      if (!known || known.residentBytes === residentBytes) continue;
      known.residentBytes = residentBytes;
      resident.push([known.mapping[0], residentBytes]);
    }
    return resident.length > 0 ? { resident } : {};
  }
}

/** Undefined where this kernel has no such file, or it may not be read: the mappings are worth something without it. */
function* readSmaps(pid: number): Generator<void, Smaps | undefined> {
  const smaps = new Smaps();
  try {
    smaps.begin();
    for (const lines of smapsPieces(pid)) {
      smaps.add(lines);
      yield;
    }
    return smaps;
  } catch {
    return undefined;
  }
}

function addressOf(page: number): string {
  return (page * pageSize()).toString(16);
}
