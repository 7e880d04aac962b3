import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isProcess, type TargetInfo } from '../core/target.js';
import { parseCgroup, readCgroupText } from '../kernel/cgroup.js';
import { type Mapping, mapsPieces, parseMappings } from '../kernel/maps.js';
import { inSlices } from '../kernel/slices.js';
import { Smaps, smapsPieces } from '../kernel/smaps.js';
import { readStat } from '../kernel/stat.js';
import { readResidentBytes } from '../kernel/status.js';
import { attempt } from '../kernel/text-file.js';

/** Identifies a process for good: a PID is given again, but not with the same start time. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot, as decimal digits. */
  readonly startTime: string;
}

/** What is read of a process at one moment. */
export interface ProcessFacts {
  readonly comm: string;
  /** 0 if it has none, or none that can be seen from this PID namespace. */
  readonly parentPid: number;
  readonly residentBytes: number;
  /** A path from the root of its hierarchy; undefined unless asked for, and on a kernel without cgroups. */
  readonly cgroup: string | undefined;
}

/**
 * Reads the facts of a process; some 50 us. The identity is checked last: then all that was read before, also before this
 * call, was of this process.
 *
 * @returns undefined if the process has ended, has no memory or is hidden
 */
export function readFacts({ pid, startTime }: ProcessIdentity, withCgroup = false): ProcessFacts | undefined {
  const residentBytes = readResidentBytes(pid);
  const cgroup = withCgroup ? attempt(() => parseCgroup(readCgroupText(pid))) : undefined;
  const stat = attempt(() => readStat(pid));
  if (residentBytes === undefined || stat?.startTime !== startTime) return undefined;
  return { comm: stat.comm, parentPid: stat.parentPid, residentBytes, cgroup };
}

/** The name of a process; undefined if there is none, or none to see. */
export function readName(pid: number): string | undefined {
  return attempt(() => readStat(pid).comm);
}

/** What a process has mapped, and how much of that is resident. What could not be read is left out. */
export interface MemoryFacts {
  /** In address order; in a change those that are new, or not what they were. */
  readonly mappings?: readonly Mapping[];
  /** Of the whole process. */
  readonly residentBytes?: number;
  /** Bytes of single mappings, by their first page; in a change those that changed. */
  readonly resident?: readonly (readonly [startPage: number, bytes: number])[];
}

/** What of it is not as it was. */
export interface MemoryFactsChange extends MemoryFacts {
  /** First pages of mappings that are gone. They go before `mappings` are added. */
  readonly removed?: readonly number[];
}

/** Share of one core that reading the mappings may take for all targets together; reading what is resident, as much again. */
const CPU_SHARE = 0.002;

/** The resident bytes of mappings change all the time, and a report needs them no more often than this. */
const RESIDENT_INTERVAL_MS = 5_000;

/** The most text of maps, of all targets together, whose mappings are kept: they take some ten times that memory. */
const MOST_TEXT_BYTES = 48 * 2 ** 20;

/** The longest that the last look at all targets may take: the user is waiting. */
const LAST_LOOK_MS = 500;

/** A Monitor, as far as it is needed. */
interface Monitored {
  readonly targets: readonly TargetInfo[];
  readonly attrs: { readonly updateUs: number };
}

/**
 * Reads what targets have mapped and what of that is resident, when it is due: the mappings once in an update interval, and
 * the resident bytes of each (a walk through all resident pages, some 6 ms for 512 MiB) every five seconds; both less often
 * if either would cost more than 0.2 % of a core. What cannot be read (the process is ending or protected, it is synthetic,
 * it has too many mappings) is left out.
 *
 * A process of 65,530 mappings takes 300 ms to read. What takes more than a few milliseconds is read between other events,
 * and returned by a later call.
 */
export class MemoryReader {
  readonly #memories = new WeakMap<TargetInfo, TargetMemory>();

  constructor(readonly monitor: Monitored) {}

  /** What has changed since the last call, at first everything; undefined if nothing has, or it is not due. */
  change(target: TargetInfo): MemoryFactsChange | undefined {
    if (!isProcess(target)) return;
    const memory = this.#memoryOf(target);
    const nowMs = performance.now();
    if (memory.isDue(nowMs)) inSlices(memory.reading(nowMs));
    return memory.takeChange();
  }

  /** Everything about a new target, once it has been read. */
  async first(target: TargetInfo): Promise<MemoryFactsChange | undefined> {
    const change = this.change(target);
    if (change) return change;
    const memory = this.#memories.get(target);
    while (memory?.isReading) await nextTurn();
    return memory?.takeChange();
  }

  /** The changes of all targets, due or not, at the end of a recording: of as many as can be read in half a second. */
  *lastChanges(): Generator<[TargetInfo, MemoryFactsChange]> {
    const endMs = performance.now() + LAST_LOOK_MS;
    for (const target of this.monitor.targets) {
      if (performance.now() > endMs) return;
      if (!isProcess(target)) continue;
      const memory = this.#memoryOf(target);
      const before = memory.takeChange();
      if (before) yield [target, before];
      const reading = memory.reading(Number.POSITIVE_INFINITY);
      while (!reading.next().done && performance.now() <= endMs);
      reading.return();
      const change = memory.takeChange();
      if (change) yield [target, change];
    }
  }

  /** Everything known of a target now. */
  whole(target: TargetInfo): MemoryFacts {
    return this.#memories.get(target)?.whole() ?? {};
  }

  /** Text of maps whose mappings are kept, of all targets. */
  textBytes(): number {
    const { targets } = this.monitor;
    return targets.reduce((sum, target) => sum + (this.#memories.get(target)?.textBytes ?? 0), 0);
  }

  #memoryOf(target: TargetInfo): TargetMemory {
    const memory = this.#memories.get(target) ?? new TargetMemory(target, this);
    this.#memories.set(target, memory);
    return memory;
  }
}

/** When work is due again: after an interval, or later if it was expensive. */
class DueTime {
  dueMs = Number.NEGATIVE_INFINITY;

  /** Does work that pauses; pauses do not count as its cost. */
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

interface KnownMapping {
  readonly mapping: Mapping;
  /** Undefined until it is known. */
  residentBytes: number | undefined;
}

class TargetMemory {
  readonly #mappingsDue = new DueTime();
  readonly #residentDue = new DueTime();
  /** Length and hash of the maps that are known. */
  textBytes = 0;
  #mapsHash = '';
  #reading: Generator<void, void> | undefined;
  #change: MemoryFactsChange | undefined;
  /** By their first pages, in address order. */
  #known = new Map<number, KnownMapping>();
  #residentBytes: number | undefined;

  constructor(
    readonly target: TargetInfo,
    readonly reader: MemoryReader,
  ) {}

  get isReading(): boolean {
    return this.#reading !== undefined;
  }

  isDue(nowMs: number): boolean {
    return !this.#reading && !this.#change && nowMs >= this.#mappingsDue.dueMs;
  }

  whole(): MemoryFacts {
    const known = [...this.#known.values()];
    const resident = known.flatMap(({ mapping: { startPage }, residentBytes }) =>
      residentBytes === undefined ? [] : [[startPage, residentBytes] as const],
    );
    return {
      ...(known.length > 0 && { mappings: known.map(({ mapping }) => mapping) }),
      ...(this.#residentBytes !== undefined && { residentBytes: this.#residentBytes }),
      ...(resident.length > 0 && { resident }),
    };
  }

  /** What was read since the last call; undefined if nothing has changed. */
  takeChange(): MemoryFactsChange | undefined {
    const change = this.#change;
    this.#change = undefined;
    return change;
  }

  /**
   * The current reading, or a new one.
   *
   * @param nowMs infinite to read everything, due or not
   */
  reading(nowMs: number): Generator<void, void> {
    this.#reading ??= this.#read(nowMs);
    return this.#reading;
  }

  /**
   * The facts come last, and with them the identity. A process that is ending has no memory left, and what was read may be
   * a part.
   */
  *#read(nowMs: number): Generator<void, void> {
    const { targets, attrs } = this.reader.monitor;
    /** How long to wait after each millisecond of CPU that reading takes. */
    const msPerCpuMs = targets.length / CPU_SHARE;
    try {
      const maps = yield* this.#mappingsDue.run(this.#readMaps(), attrs.updateUs / 1_000, msPerCpuMs);
      const smaps =
        nowMs >= this.#residentDue.dueMs
          ? yield* this.#residentDue.run(readSmaps(this.target.pid), RESIDENT_INTERVAL_MS, msPerCpuMs)
          : undefined;
      const facts = readFacts(this.target);
      if (!facts?.residentBytes || maps.bytes === 0) return;
      const added = maps.bytes - this.textBytes;
      const fits = added <= 0 || this.reader.textBytes() + added <= MOST_TEXT_BYTES;
      const change = {
        ...(fits && maps.mappings && this.#takeMappings(maps.mappings)),
        ...this.#takeResidentBytes(facts.residentBytes),
        ...(smaps && this.#takeSmaps(smaps)),
      };
      if (fits) [this.textBytes, this.#mapsHash] = [maps.bytes, maps.hash];
      if (Object.keys(change).length > 0) this.#change = change;
    } catch {
      // It is ending, or protected: if that matters, the monitor says so.
    } finally {
      this.#reading = undefined;
    }
  }

  /** Without mappings if the text has not changed, as is most often the case. */
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
      parseMappings(lines, mappings);
      yield;
    }
    return { bytes, hash, mappings };
  }

  #takeMappings(found: readonly Mapping[]): MemoryFactsChange {
    const before = this.#known;
    this.#known = new Map();
    const mappings: Mapping[] = [];
    for (const mapping of found) {
      const old = before.get(mapping.startPage);
      if (old && areSame(mapping, old.mapping)) {
        this.#known.set(mapping.startPage, old);
      } else {
        this.#known.set(mapping.startPage, { mapping, residentBytes: undefined });
        mappings.push(mapping);
      }
    }
    const removed = [...before.keys()].filter((page) => !this.#known.has(page));
    return { ...(removed.length > 0 && { removed }), ...(mappings.length > 0 && { mappings }) };
  }

  #takeResidentBytes(residentBytes: number): MemoryFactsChange {
    if (residentBytes === this.#residentBytes) return {};
    this.#residentBytes = residentBytes;
    return { residentBytes };
  }

  #takeSmaps(smaps: Smaps): MemoryFactsChange {
    const resident: [startPage: number, bytes: number][] = [];
    for (let i = 0; i < smaps.count; i++) {
      const known = this.#known.get(smaps.startPage[i]!);
      const residentBytes = smaps.residentBytes[i]!;
      if (!known || known.residentBytes === residentBytes) continue;
      known.residentBytes = residentBytes;
      resident.push([known.mapping.startPage, residentBytes]);
    }
    return resident.length > 0 ? { resident } : {};
  }
}

/** Undefined if this kernel has no such file, or it may not be read: the mappings are useful without it. */
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

function areSame(a: Mapping, b: Mapping): boolean {
  return a.endPage === b.endPage && a.permissions === b.permissions && a.name === b.name;
}
