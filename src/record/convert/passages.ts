import type { Attrs } from '../../core/attrs.js';
import { PagepulseError } from '../../core/errors.js';
import { jsonText } from '../../core/printable.js';
import type { TargetInfo } from '../../core/target.js';
import type { Mapping } from '../../kernel/maps.js';
import type { HeaderLine, RecordedRegion, RecordLine, SnapshotLine } from '../format.js';
import type { InputBudget } from '../limits.js';
import { parseJson } from '../limits.js';
import { isRegionMemory, parseLine } from '../parse.js';
import { RegionMappings } from './region-mappings.js';

/** A record in any format that holds one. */
export interface Input {
  /** The header first, and every snapshot after the line of its target. */
  readonly lines: AsyncIterable<RecordLine>;
  /** What is left of what reading it may take. */
  readonly budget: InputBudget;
  /** What was wrong with it, a sentence each; whole when all lines are read. */
  notes(): string[];
}

/**
 * A snapshot, and all that its record says around it. Formats that know nothing but snapshots keep the rest as one text
 * beside each (`besideText`), and can so be converted back.
 */
export interface Passage {
  readonly snapshot: SnapshotLine;
  readonly target: TargetInfo;
  readonly header: HeaderLine;
  /** In force when the snapshot ended. */
  readonly attrs: Attrs;
  /** What the target had mapped then, in address order; empty where the record does not tell. */
  readonly mappings: readonly Mapping[];
  readonly beside: Beside;
}

/** What a record says beside its snapshots. */
export interface Beside {
  /** The lines between the snapshot before and this one: header, targets, mappings, attrs, snapshots without regions. */
  readonly before?: readonly RecordLine[];
  /** What each of its regions tells beyond its age: samples, deviation and what may be unlike. */
  readonly regions?: readonly (readonly unknown[])[];
  /** What its line has more than a snapshot must have: `cost`. */
  readonly snapshot?: Readonly<Record<string, unknown>>;
  /** The lines after the last snapshot. */
  readonly after?: readonly RecordLine[];
}

/** What is said of an input whose values are not of the kinds that its format has. */
export const LACKS_FIELDS = 'it does not have the fields it must have';

/** What every format holds of a region: start, end, nrAccesses, age. */
const KNOWN = 4;

/** What every snapshot is, whatever it was converted to. */
export interface BareSnapshot {
  readonly target: number;
  readonly startUs: number;
  readonly endUs: number;
  readonly maxNrAccesses: number;
  readonly regions: readonly RecordedRegion[];
}

/**
 * The snapshots of a record, one at a time.
 *
 * @throws PagepulseError `RECORD` where there is no snapshot
 */
export async function* passagesOf({ lines, budget, notes }: Input): AsyncGenerator<Passage> {
  const targets = new Map<number, TargetInfo>();
  const mappings = new RegionMappings(budget);
  let header: HeaderLine | undefined;
  let attrs: Attrs | undefined;
  let before: RecordLine[] = [];
  // One behind: whether lines follow the last one is known when there are no more.
  let held: Passage | undefined;
  for await (const line of lines) {
    if (line.type === 'header') header = line;
    if (line.type === 'header' || line.type === 'attrs') attrs = line.attrs;
    if (line.type === 'target') targets.set(line.id, infoOf(line));
    mappings.take(line);
    const target = line.type === 'snapshot' ? targets.get(line.target) : undefined;
    if (line.type !== 'snapshot' || line.regions.length === 0 || !target || !header || !attrs) {
      before.push(line);
      continue;
    }
    if (held) yield held;
    const { type: _, target: _t, startUs: _s, endUs: _e, maxNrAccesses: _m, regions: _r, ...more } = line;
    const beside = {
      ...(before.length > 0 && { before }),
      ...(line.regions.some(({ length }) => length > KNOWN) && {
        regions: line.regions.map((region) => region.slice(KNOWN)),
      }),
      ...(Object.keys(more).length > 0 && { snapshot: more }),
    };
    held = { snapshot: line, target, header, attrs, mappings: mappings.of(line), beside };
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
  yield before.length > 0 ? { ...held, beside: { ...held.beside, after: before } } : held;
}

/** Without its mappings, which change. */
function infoOf({ id, pid, startTime, comm, cmdline }: TargetInfo): TargetInfo {
  return { id, pid, startTime, comm, cmdline };
}

/** Empty where there is nothing beside the snapshot. */
export function besideText({ beside }: Passage): string {
  return Object.keys(beside).length > 0 ? jsonText(beside) : '';
}

/**
 * The lines that a snapshot and the text beside it were made of.
 *
 * @throws SyntaxError where the text is not what `besideText` writes
 */
export function* linesOfPassage(snapshot: BareSnapshot, besideText: string): Generator<RecordLine> {
  const beside: Beside = besideText ? (parseJson(besideText) as Beside) : {};
  const { before = [], regions: told = [], snapshot: { memory, ...more } = {}, after = [] } = beside;
  // Regions that somebody has taken out or added since have not what was told of them.
  const isSame = told.length === snapshot.regions.length;
  const regions = isSame ? snapshot.regions.map((region, i) => [...region, ...told[i]!]) : snapshot.regions;
  yield* before.map(checked);
  const hasMemory = isRegionMemory(memory, regions.length) && memory !== undefined;
  yield checked({ type: 'snapshot', ...snapshot, regions, ...(hasMemory && { memory }), ...more });
  yield* after.map(checked);
}

/** Files come from anywhere, and whoever reads lines takes them for what the reader of records lets pass. */
export function checked(line: unknown): RecordLine {
  const text = JSON.stringify(line);
  const parsed = parseLine(text);
  if (typeof parsed !== 'object') throw new SyntaxError(`${text.slice(0, 80)} is not a line of a record`);
  return parsed;
}

/** When the record started, on CLOCK_MONOTONIC; 0 where it does not say. */
export function startedNs({ startedMonotonicNs }: HeaderLine): bigint {
  return /^\d+$/.test(startedMonotonicNs) ? BigInt(startedMonotonicNs) : 0n;
}
