import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { ExecutionContext } from 'ava';
import type { HeaderLine, RecordLine } from '../../src/record/format.js';
import { run } from './cli.js';
import { fixture } from './fixtures.js';

// What the lab has recorded of test/lab/workloads/moving.c (`npm run lab:fixtures`), and what that has told of itself: an
// anonymous area of 240 MiB, in which three ranges of 8 MiB each are read all the time, elsewhere every 10 s.

export const MOVING = fixture('moving.ndjson.gz');
export const MIB = 2 ** 20;
export const HOT_MIB = 24;
export const AREA_MIB = 240;

export interface AddressSpan {
  readonly start: number;
  readonly end: number;
}

/** What was hot from when to when, in microseconds since the recording began. */
export interface Phase {
  readonly startUs: number;
  readonly endUs: number;
  readonly hot: readonly AddressSpan[];
}

export const movingLines: readonly RecordLine[] = gunzipSync(readFileSync(MOVING))
  .toString()
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));

interface Told {
  readonly atNs: string;
  readonly phase?: number;
  readonly ranges?: readonly { readonly start: string; readonly end: string; readonly kind: string }[];
}

/** All phases; the record begins within one, and ends within one. */
const { phases, area } = truth();

export { area };

/** Those that were recorded from begin to end: three of 10 s. */
export const PHASES = phases.filter(({ startUs, endUs }) => startUs >= 0 && endUs <= 41e6);

function truth(): { phases: Phase[]; area: AddressSpan } {
  const began = BigInt((movingLines[0] as HeaderLine).startedMonotonicNs);
  const told: Told[] = readFileSync(fixture('moving.truth.ndjson'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const at = ({ atNs }: Told) => Number(BigInt(atNs) - began) / 1e3;
  const address = (hex: string) => Number.parseInt(hex, 16);
  const begins = told.filter(({ ranges }) => ranges);
  const all = begins[0]!.ranges!;
  return {
    area: { start: address(all[0]!.start), end: address(all.at(-1)!.end) },
    phases: begins.map((begin, i) => ({
      startUs: at(begin),
      endUs: i + 1 < begins.length ? at(begins[i + 1]!) : Number.POSITIVE_INFINITY,
      hot: begin
        .ranges!.filter(({ kind }) => kind === 'hot')
        .map(({ start, end }) => ({ start: address(start), end: address(end) })),
    })),
  };
}

/** The end of a phase, without the snapshot that may go on into the next: regions have found the hot ranges. */
export function settled({ startUs, endUs }: Phase): { startUs: number; endUs: number; args: string[] } {
  const [from, to] = [Math.ceil((startUs + 6e6) / 1e3), Math.floor((endUs - 1e6) / 1e3)];
  return { startUs: from * 1e3, endUs: to * 1e3, args: ['--from', `${from}ms`, '--to', `${to}ms`] };
}

export function overlap(a: AddressSpan, b: AddressSpan): number {
  return Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start));
}

/** Bytes of `span` that lie in hot ranges. */
export function hotBytesIn({ hot }: Phase, span: AddressSpan): number {
  return hot.reduce((sum, range) => sum + overlap(range, span), 0);
}

/** What `pagepulse report` prints of the recording; everything is well with it. */
export async function report(t: ExecutionContext, ...args: string[]): Promise<string> {
  const { status, out, err } = await run(t, 'report', ...args);
  t.deepEqual([status, err], [0, ''], args.join(' '));
  return out;
}

export function isNear(
  t: ExecutionContext,
  actual: number,
  expected: number,
  by: number,
  what: string,
): void {
  t.true(Math.abs(actual - expected) <= by, `${what}: ${actual}, not ${expected} within ${by}`);
}
