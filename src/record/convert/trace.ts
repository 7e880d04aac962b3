import { jsonText } from '../../core/printable.js';
import { isProcess } from '../../core/target.js';
import type { SnapshotLine } from '../format.js';
import { type SnapshotInContext, startedNs } from './snapshots.js';

/** Above every PID (PID_MAX_LIMIT, 2^22): for targets without one, or with one that an earlier target had. */
const FIRST_FREE_PID = 4_194_305;

interface Track {
  readonly pid: number;
  endUs: number;
  bytes: Bytes;
}

interface Bytes {
  /** Accessed at least once. */
  readonly workingSet: number;
  /** Accessed in at least half of the samples; undefined if that is unknown. */
  readonly hot?: number;
}

/**
 * A trace for Perfetto or chrome://tracing: JSON in the Trace Event Format, with counters ("ph":"C") for each process. A
 * counter keeps its value until the next event, so it stands at the start of its interval. Times are CLOCK_MONOTONIC in
 * microseconds, which lines the trace up with others of that clock.
 */
export async function* traceOf(snapshots: AsyncIterable<SnapshotInContext>): AsyncGenerator<string> {
  const tracks = new Map<number, Track>();
  const pids = new Set<number>();
  let started = 0n;
  for await (const { snapshot, target, header } of snapshots) {
    let events = '';
    let track = tracks.get(target.id);
    if (tracks.size === 0) {
      started = startedNs(header);
      const { tool, kernel, check, startedAt, startedMonotonicNs } = header;
      const about = jsonText({ tool, kernel, check, startedAt, startedMonotonicNs });
      yield `{"displayTimeUnit":"ms","otherData":${about},"traceEvents":[`;
    } else {
      events = ',\n';
    }
    if (!track) {
      const pid = !isProcess(target) || pids.has(target.pid) ? FIRST_FREE_PID + target.id : target.pid;
      track = { pid, endUs: 0, bytes: { workingSet: 0, hot: 0 } };
      tracks.set(target.id, track);
      pids.add(pid);
      const args = jsonText({ name: target.comm });
      events += `{"name":"process_name","ph":"M","pid":${pid},"tid":${pid},"args":${args}},\n`;
    }
    track.endUs = snapshot.endUs;
    track.bytes = bytesOf(snapshot);
    yield events + counters(track, microseconds(started, snapshot.startUs));
  }
  for (const track of tracks.values()) yield `,\n${counters(track, microseconds(started, track.endUs))}`;
  yield ']}\n';
}

function counters({ pid, bytes }: Track, ts: string): string {
  const counter = (name: string, value: number) =>
    `{"name":"${name}","ph":"C","pid":${pid},"tid":${pid},"ts":${ts},"args":{"bytes":${value}}}`;
  const workingSet = counter('working set', bytes.workingSet);
  return bytes.hot === undefined ? workingSet : `${workingSet},\n${counter('hot', bytes.hot)}`;
}

/** The sum over accessed regions of the bytes accessed, or resident and visible, or covered: the first that is known. */
function bytesOf({ regions, maxNrAccesses, memory }: SnapshotLine): Bytes {
  let [workingSet, hot] = [0, 0];
  for (const [i, [start, end, nrAccesses]] of regions.entries()) {
    if (nrAccesses === 0) continue;
    const size = Math.max(0, Number.parseInt(end, 16) - Number.parseInt(start, 16));
    const seen = memory && memory.resident[i]! - (memory.unseen?.[i] ?? 0);
    const bytes = memory?.accessed?.[i] ?? seen ?? size;
    workingSet += bytes;
    if (2 * nrAccesses >= maxNrAccesses) hot += bytes;
  }
  // One check per interval does not tell how often memory is accessed.
  return memory?.accessed ? { workingSet } : { workingSet, hot };
}

/** With three decimals: after 104 days, a float64 is too coarse for nanoseconds. */
function microseconds(startedNs: bigint, us: number): string {
  const ns = startedNs + BigInt(Math.round(us * 1_000));
  return `${ns / 1_000n}.${String(ns % 1_000n).padStart(3, '0')}`;
}
