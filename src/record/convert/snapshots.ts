import type { Attrs } from '../../core/attrs.js';
import { PagepulseError } from '../../core/errors.js';
import { jsonText } from '../../core/printable.js';
import type { TargetInfo } from '../../core/target.js';
import type { Mapping } from '../../kernel/maps.js';
import type { HeaderLine, RecordedRegion, RecordLine, SnapshotLine } from '../format.js';
import { type InputBudget, parseJson } from '../limits.js';
import { ObservedMemories } from '../observed-memory.js';
import { isRegionMemory, parseLine } from '../parse.js';

// Between formats, a record is a stream of snapshots with their context. Formats that hold only snapshots keep the rest of
// the record as one text per snapshot, the sidecar, so that they can be converted back.

/** A record, read from any format that holds one. */
export interface Input {
  /**
   * The header first, and each target line before the target's snapshots. A line is its taker's: the regions of a snapshot
   * are emptied once they are written.
   */
  readonly lines: AsyncIterable<RecordLine>;
  /** What reading the rest may cost. */
  readonly budget: InputBudget;
  /** What was wrong with the record, a sentence each. Complete once all lines are read. */
  notes(): string[];
}

/** A snapshot, and what its record says about it. */
export interface SnapshotInContext {
  readonly snapshot: SnapshotLine;
  readonly target: TargetInfo;
  readonly header: HeaderLine;
  /** In force when the snapshot ended. */
  readonly attrs: Attrs;
  /** What the target had mapped then, in address order; empty if unknown. */
  readonly mappings: readonly Mapping[];
  readonly sidecar: Sidecar;
}

/** What a record holds besides the columns that every format has. */
export interface Sidecar {
  /** The lines since the previous snapshot: header, targets, mappings, attrs, snapshots without regions. */
  readonly before?: readonly RecordLine[];
  /** What each region has after its age: the evidence. */
  readonly regions?: readonly (readonly unknown[])[];
  /** The other fields of the snapshot line: `cost`, `memory` and so on. */
  readonly snapshot?: Readonly<Record<string, unknown>>;
  /** The lines after the last snapshot. */
  readonly after?: readonly RecordLine[];
}

/** What every format holds of a snapshot. */
export type BareSnapshot = Pick<SnapshotLine, 'target' | 'startUs' | 'endUs' | 'maxNrAccesses' | 'regions'>;

/** What every format holds of a region: start, end, nrAccesses, age. */
const BARE_REGION = 4;

/** For an input whose values are not of the types that its format has. */
export const LACKS_FIELDS = 'required fields are missing';

/** @throws PagepulseError `RECORD` if there is no snapshot */
export async function* snapshotsOf({ lines, budget, notes }: Input): AsyncGenerator<SnapshotInContext> {
  const targets = new Map<number, TargetInfo>();
  const memories = new ObservedMemories(budget);
  let header: HeaderLine | undefined;
  let attrs: Attrs | undefined;
  let before: RecordLine[] = [];
  // One behind: only the end of the record shows which snapshot is the last.
  let held: SnapshotInContext | undefined;
  for await (const line of lines) {
    if (line.type === 'header') header = line;
    if (line.type === 'header' || line.type === 'attrs') attrs = line.attrs;
    if (line.type === 'target') targets.set(line.id, infoOf(line));
    if (line.type === 'header' || line.type === 'target' || line.type === 'mappings') memories.take(line);
    const target = line.type === 'snapshot' ? targets.get(line.target) : undefined;
    if (line.type !== 'snapshot' || line.regions.length === 0 || !target || !header || !attrs) {
      before.push(line);
      continue;
    }
    if (held) yield held;
    const { type: _, target: _t, startUs: _s, endUs: _e, maxNrAccesses: _m, regions, ...more } = line;
    const sidecar = {
      ...(before.length > 0 && { before }),
      ...(regions.some(({ length }) => length > BARE_REGION) && {
        regions: regions.map((region) => region.slice(BARE_REGION)),
      }),
      ...(Object.keys(more).length > 0 && { snapshot: more }),
    };
    const memory = memories.of(line.target, regions.length, () => areInOrder(regions));
    held = { snapshot: line, target, header, attrs, mappings: memory?.mappings ?? [], sidecar };
    before = [];
  }
  if (!held) {
    const { name } = budget;
    const faults = notes().map((note) => `; ${note.replace(`${name}: `, '')}`);
    throw new PagepulseError(
      'RECORD',
      `cannot convert ${name}: it has no snapshot${faults.join('')}; record it again`,
    );
  }
  yield before.length > 0 ? { ...held, sidecar: { ...held.sidecar, after: before } } : held;
}

function areInOrder(regions: readonly RecordedRegion[]): boolean {
  let from = 0;
  for (const [start, end] of regions) {
    if (Number.parseInt(start, 16) < from) return false;
    from = Number.parseInt(end, 16);
  }
  return true;
}

/** Without the mappings, which change. */
function infoOf({ id, pid, startTime, comm, cmdline }: TargetInfo): TargetInfo {
  return { id, pid, startTime, comm, cmdline };
}

/** Empty if there is nothing besides the snapshot. */
export function sidecarText({ sidecar }: SnapshotInContext): string {
  return Object.keys(sidecar).length > 0 ? jsonText(sidecar) : '';
}

/**
 * The lines that a snapshot and its sidecar were made of.
 *
 * @throws SyntaxError if the text is not a sidecar
 */
export function* linesOfSnapshot(snapshot: BareSnapshot, sidecar: string): Generator<RecordLine> {
  const parsed: Sidecar = sidecar ? (parseJson(sidecar) as Sidecar) : {};
  const { before = [], regions: rest = [], snapshot: { memory, ...more } = {}, after = [] } = parsed;
  // If regions were removed or added since, the rest and the memory belong to other regions.
  const isSame = rest.length === snapshot.regions.length;
  const regions = isSame ? snapshot.regions.map((region, i) => [...region, ...rest[i]!]) : snapshot.regions;
  yield* before.map(checked);
  const hasMemory = memory !== undefined && isRegionMemory(memory, regions.length);
  yield checked({ type: 'snapshot', ...snapshot, regions, ...(hasMemory && { memory }), ...more });
  yield* after.map(checked);
}

/** A line of any origin as the reader of records would accept it, limits included. @throws SyntaxError */
export function checked(line: unknown): RecordLine {
  const text = JSON.stringify(line);
  const parsed = parseLine(text);
  if (typeof parsed !== 'object') throw new SyntaxError(`not a record line: ${text.slice(0, 80)}`);
  return parsed;
}

/** When the record started, by CLOCK_MONOTONIC; 0 if unknown. */
export function startedNs({ startedMonotonicNs }: HeaderLine): bigint {
  return /^\d+$/.test(startedMonotonicNs) ? BigInt(startedMonotonicNs) : 0n;
}
