import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import type { RecordLine, SnapshotLine } from '../../../src/record/format.js';
import {
  converted,
  headerOf,
  linesIn,
  RICH,
  snapshotLineOf,
  targetOf,
  textIn,
} from '../../helpers/records.js';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly args: { readonly bytes?: number; readonly name?: string };
}

const eventsIn = (path: string): TraceEvent[] => JSON.parse(textIn(path)).traceEvents;

test('a trace has the working set of each process at the start of its interval, by CLOCK_MONOTONIC', async (t) => {
  const events = eventsIn(await converted(t, RICH, 'trace'));
  t.deepEqual(
    events.filter(({ ph }) => ph === 'M').map(({ name, pid, args }) => [name, pid, args.name]),
    [
      ['process_name', 4243, 'postgres'],
      ['process_name', 4242, 'a "b",\nc'],
    ],
  );
  const counters = (pid: number, name: string) =>
    events
      .filter((event) => event.ph === 'C' && event.pid === pid && event.name === name)
      .map(({ ts, args }) => [ts, args.bytes]);
  // 9 of 20 samples are less than half, 10 are not.
  t.deepEqual(counters(4242, 'working set'), [
    [123_456.789, 0x22000],
    [223_576.789, 0x1000],
    [423_576.789, 0x1000],
    [523_577.289, 0x1000],
  ]);
  t.deepEqual(counters(4242, 'hot'), [
    [123_456.789, 0x1000],
    [223_576.789, 0],
    [423_576.789, 0],
    [523_577.289, 0],
  ]);
  t.deepEqual(counters(4243, 'working set'), [
    [123_456.789, 0x4000],
    [323_576.789, 0x3000],
    [423_576.789, 0x3000],
  ]);
});

test('a trace counts resident or accessed bytes; with the latter it has no hot memory', async (t) => {
  const lineOf = (memory: SnapshotLine['memory']) =>
    snapshotLineOf([['1000', '9000', 1, 1]], { maxNrAccesses: 1, ...(memory && { memory }) });
  for (const [memory, workingSet, hot] of [
    [undefined, 0x8000, 0x8000],
    [{ resident: [0x4000], unseen: [0x1000] }, 0x3000, 0x3000],
    [{ resident: [0x4000], accessed: [0x2000] }, 0x2000, undefined],
  ] as const) {
    const events = eventsIn(await converted(t, [...RICH.slice(0, 2), lineOf(memory)], 'trace'));
    const bytesOf = (wanted: string) => events.find(({ name }) => name === wanted)?.args.bytes;
    t.deepEqual([bytesOf('working set'), bytesOf('hot')], [workingSet, hot]);
  }
});

test('snapshots that end at the same time keep the order of the record', async (t) => {
  const pidsAt = (events: readonly TraceEvent[], at: number) =>
    events.filter(({ name, ts }) => name === 'hot' && ts === at).map(({ pid }) => pid);
  const of = (target: number) => snapshotLineOf([['1000', '2000', 1, 1]], { target });
  for (const order of [
    [0, 7],
    [7, 0],
  ]) {
    const lines = [...RICH.slice(0, 3), ...order.map(of)];
    const events = eventsIn(await converted(t, lines, 'trace'));
    t.deepEqual(
      pidsAt(events, 123_456.789),
      order.map((id) => 4242 + id / 7),
    );
  }
});

test('every event conforms to the Trace Event Format', async (t) => {
  const path = await converted(t, RICH, 'trace', 'it.json.gz');
  const { traceEvents, displayTimeUnit } = JSON.parse(gunzipSync(readFileSync(path)).toString());
  t.is(displayTimeUnit, 'ms');
  for (const { name, ph, pid, tid, ts, args } of traceEvents as TraceEvent[]) {
    t.is(typeof name, 'string');
    t.true(ph === 'M' || ph === 'C');
    t.true(Number.isInteger(pid) && Number.isInteger(tid));
    if (ph === 'C') t.true(Number.isFinite(ts) && Object.values(args).every(Number.isFinite));
  }
});

test('targets without a PID, or with a reused one, have their own track', async (t) => {
  const lines: RecordLine[] = [headerOf()];
  for (const [id, pid] of [0, 0, 4242, 4242].entries())
    lines.push(targetOf({ id, pid }), snapshotLineOf([['1000', '2000', 1, 1]], { target: id }));
  const pids = eventsIn(await converted(t, lines, 'trace'))
    .filter(({ ph }) => ph === 'M')
    .map(({ pid }) => pid);
  t.is(new Set(pids).size, 4);
  t.true(pids.includes(4242) && !pids.includes(0));
});

test('a trace cannot be converted back, and the error says why', async (t) => {
  const path = await converted(t, RICH, 'trace');
  await t.throwsAsync(linesIn(t, path), {
    code: 'RECORD',
    message: /is a trace, which has working sets but no regions/,
  });
});
