import type { TargetInfo } from '../core/target.js';
import type { Mapping } from '../kernel/mapping.js';
import { parseMappings, readMapsText } from '../kernel/maps.js';
import { pageSize } from '../kernel/page-size.js';
import { Smaps } from '../kernel/smaps.js';
import { readStat } from '../kernel/stat.js';
import { readResidentBytes } from '../kernel/status.js';
import type { MemoryChange, RecordedMapping, RecordedMemory } from './format.js';

/** Of one core, for all targets together: what reading the mappings may take, and the same again what is resident. */
const CPU_SHARE = 0.002;

/** What is resident of each mapping changes all the time: a report needs no more than this. */
const RESIDENT_INTERVAL_MS = 5_000;

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
 * protected, it is synthetic) is left out.
 */
export class MemoryReader {
  /** As long as anybody has a snapshot of the target. */
  readonly #memories = new WeakMap<TargetInfo, TargetMemory>();

  constructor(readonly watched: Watched) {}

  /** What has changed since the last call, the first time all; undefined where nothing has, or it is not due. */
  change(target: TargetInfo): MemoryChange | undefined {
    return this.#read(target, performance.now());
  }

  /** The same of all that are watched, due or not, at the end of a recording: as many as half a second is enough for. */
  *lastChanges(): Generator<[TargetInfo, MemoryChange]> {
    const endMs = performance.now() + LAST_LOOK_MS;
    for (const target of this.watched.targets) {
      if (performance.now() > endMs) return;
      const change = this.#read(target, Number.POSITIVE_INFINITY);
      if (change) yield [target, change];
    }
  }

  /** All that is known of a target now. */
  whole(target: TargetInfo): RecordedMemory {
    return this.#memories.get(target)?.whole() ?? {};
  }

  #read(target: TargetInfo, nowMs: number): MemoryChange | undefined {
    if (target.pid === 0) return; // it exists only in memory
    let memory = this.#memories.get(target);
    if (!memory) {
      memory = new TargetMemory(target);
      this.#memories.set(target, memory);
    }
    if (!memory.isDue(nowMs)) return;
    const { targets, attrs } = this.watched;
    return memory.read(nowMs, attrs.updateUs / 1_000, targets.length / CPU_SHARE);
  }
}

/** When something is due again: after a time, and not before what it costs is worth it. */
class Pace {
  dueMs = Number.NEGATIVE_INFINITY;

  run<T>(work: () => T, intervalMs: number, msPerCpuMs: number): T {
    const before = process.cpuUsage();
    try {
      return work();
    } finally {
      const { user, system } = process.cpuUsage(before);
      const cpuMs = (user + system) / 1_000;
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
  #mapsText = '';
  /** By their first pages, in address order. */
  #known = new Map<number, KnownMapping>();
  #residentBytes: number | undefined;

  constructor(readonly target: TargetInfo) {}

  isDue(nowMs: number): boolean {
    return nowMs >= this.#mappingsPace.dueMs;
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

  /**
   * Who it is is looked at last: then all that was read before was of this process. One that is ending has no memory
   * left, and what was read may be a part.
   *
   * @param nowMs infinite to read everything, due or not
   * @param msPerCpuMs how long to wait for each millisecond of CPU that reading took
   */
  read(nowMs: number, intervalMs: number, msPerCpuMs: number): MemoryChange | undefined {
    const { pid, startTime } = this.target;
    try {
      const maps = this.#mappingsPace.run(() => this.#readMaps(), intervalMs, msPerCpuMs);
      const smaps =
        nowMs >= this.#residentPace.dueMs
          ? this.#residentPace.run(() => readSmaps(pid), RESIDENT_INTERVAL_MS, msPerCpuMs)
          : undefined;
      const residentBytes = readResidentBytes(pid);
      if (!residentBytes || maps.text === '' || readStat(pid).startTime !== startTime) return;
      const change = {
        ...(maps.mappings && this.#takeMappings(maps.mappings)),
        ...this.#takeResidentBytes(residentBytes),
        ...(smaps && this.#takeSmaps(smaps)),
      };
      this.#mapsText = maps.text;
      return Object.keys(change).length > 0 ? change : undefined;
    } catch {
      return; // it is ending, or protected: the monitor says so, where it matters
    }
  }

  /** Without mappings where the text is what it was: for most of the time, and most processes. */
  #readMaps(): { text: string; mappings?: Mapping[] } {
    const text = readMapsText(this.target.pid);
    return text === this.#mapsText ? { text } : { text, mappings: parseMappings(text, pageSize()) };
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

  #takeSmaps({ smaps, count }: { smaps: Smaps; count: number }): MemoryChange {
    const resident: [string, number][] = [];
    for (let i = 0; i < count; i++) {
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
function readSmaps(pid: number): { smaps: Smaps; count: number } | undefined {
  const smaps = new Smaps();
  try {
    return { smaps, count: smaps.read(pid) };
  } catch {
    return undefined;
  }
}

function addressOf(page: number): string {
  return (page * pageSize()).toString(16);
}
