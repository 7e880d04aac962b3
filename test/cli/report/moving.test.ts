import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { RecordLine } from '../../../src/record/format.js';
import { folderFor } from '../../helpers/fixtures.js';
import {
  type AddressSpan,
  AREA_MIB,
  area,
  HOT_MIB,
  hotBytesIn,
  isNear,
  MIB,
  MOVING,
  movingLines,
  overlap,
  PHASES,
  type Phase,
  report,
  settled,
} from '../../helpers/moving.js';

// Every report of a recording of which is known what was accessed, as a command. Sums are of whole regions, some of which
// reach over the ends of what is hot; so 24 hot MiB may be 28.

/** The keys of a document are what others read: a change of any is a change of the format (docs/reports.md). */
function hasKeys(t: ExecutionContext, object: object, keys: string): void {
  t.deepEqual(Object.keys(object).sort(), keys.split(' ').sort());
}

const SOURCE = 'source startedAt check pageSize startUs endUs snapshots notes';
const PROCESS = 'pid startTime comm startUs endUs snapshots';
const SPREAD = 'mean min p5 p25 p50 p75 p95 p99 max';
const KNOWN = 'warmUpUs isSettled unknown';
const WORKING_SET = 'bytes interval residentBytes residentP95Bytes sharedFileBytes unseenBytes overTime';
const MAPPING =
  'name kind sizeBytes residentBytes accessedBytes hotBytes warmBytes rareBytes coldBytes unseenBytes sharedFileBytes ' +
  'coldResidentBytes coldForUs';

test('wss: the working set of each phase is what was read in it, of all that is resident', async (t) => {
  t.is(PHASES.length, 3);
  for (const phase of PHASES) {
    const document = JSON.parse(await report(t, 'wss', '--json', ...settled(phase).args, MOVING));
    const { all, processes, minAccessShare, isCounted, isResidentKnown, ...source } = document.sources[0];
    t.deepEqual([isCounted, isResidentKnown], [false, false], 'it is an older record');
    isNear(t, all.bytes.p50 / MIB, HOT_MIB, 2, 'median');
    isNear(t, all.residentBytes / MIB, AREA_MIB, 2, 'resident');
    t.is(minAccessShare, 0);
    const values: number[] = all.overTime.values;
    t.is(values.length, 60);
    t.true(values.every((bytes) => bytes >= all.bytes.min && bytes <= all.bytes.max));

    hasKeys(t, document, 'type version sources');
    t.deepEqual([document.type, document.version, source.source], ['report wss', 1, MOVING]);
    hasKeys(t, source, SOURCE);
    hasKeys(t, all, WORKING_SET);
    hasKeys(t, all.bytes, SPREAD);
    hasKeys(t, all.overTime, 'startUs stepUs values');
    hasKeys(t, processes[0], `${PROCESS} ${KNOWN} ${WORKING_SET}`);
    t.like(processes[0], { pid: 77, comm: 'moving', bytes: all.bytes });
  }
});

test('wss: as text, what is needed can be read off', async (t) => {
  const text = await report(t, 'wss', ...settled(PHASES[1]!).args, MOVING);
  t.regex(
    text,
    /\nprocess +p50 +p95 +max +resident +needs +over time\n77 moving +24\.\d MiB .* 241 MiB +1\d % /,
  );
  t.regex(text, /\nNeeds 2\d(\.\d)? MiB of 241 MiB resident, for 95 % of the time \(1\d %\)\.\n/);
  for (const line of text.split('\n').slice(1)) t.true(line.length <= 80, line);
});

test('access: the regions that are accessed most of the time are the hot ranges', async (t) => {
  for (const phase of PHASES) {
    const args = ['--access', '50%..', '--size', '1MiB..', ...settled(phase).args];
    const document = JSON.parse(await report(t, 'access', '--json', ...args, MOVING));
    const { regions, byShare, untouched, hasMappings, isCounted, isResidentKnown, processes, ...source } =
      document.sources[0];
    t.deepEqual([isCounted, isResidentKnown], [false, false]);
    const spans: AddressSpan[] = regions.map((region: { startAddress: string; sizeBytes: number }) => {
      const start = Number.parseInt(region.startAddress, 16);
      return { start, end: start + region.sizeBytes };
    });
    for (const range of phase.hot) {
      const found = spans.reduce((sum, span) => sum + overlap(span, range), 0);
      isNear(t, found / MIB, 8, 1, 'of a hot range is found');
    }
    const together = spans.reduce((sum, { start, end }) => sum + end - start, 0);
    isNear(t, together / MIB, HOT_MIB, 2, 'and nothing else');

    hasKeys(t, source, SOURCE);
    hasKeys(t, processes[0], `${PROCESS} ${KNOWN} unseenBytes`);
    hasKeys(
      t,
      regions[0],
      'pid startAddress sizeBytes residentBytes accessedBytes accessShare ageUs mapping',
    );
    t.is(regions[0].mapping, 'anonymous');
    t.true(hasMappings);
    hasKeys(t, byShare[0], 'fromShare toShare bytes');
    const above = byShare
      .filter(({ fromShare }: { fromShare: number }) => fromShare >= 0.5)
      .reduce((sum: number, { bytes }: { bytes: number }) => sum + bytes, 0);
    isNear(t, above / MIB, HOT_MIB, 2, 'by share');
    hasKeys(t, untouched[0], 'forUs bytes');
    isNear(t, untouched[0].bytes / MIB, AREA_MIB - HOT_MIB, 4, 'untouched');
  }
});

test('access: as text, of one moment, sorted and chosen', async (t) => {
  const phase = PHASES[2]!;
  const at = ['--at', `${Math.floor(phase.endUs / 1e6) - 1}s`];
  const text = await report(
    t,
    'access',
    ...at,
    '--access',
    '50%..',
    '--size',
    '5MiB..',
    '--sort',
    'address',
    MOVING,
  );
  const rows = [...text.matchAll(/^([0-9a-f]{12}) +([\d.]+) MiB +\d+ % .* anonymous$/gm)];
  const starts = rows.map(([, address]) => Number.parseInt(address!, 16)).sort((a, b) => a - b);
  t.is(starts.length, 3);
  for (const [i, start] of starts.entries()) isNear(t, start / MIB, phase.hot[i]!.start / MIB, 1, 'begins');
});

test('mappings: the anonymous area has the hot memory, libraries have none', async (t) => {
  const phase = PHASES[1]!;
  const document = JSON.parse(await report(t, 'mappings', '--json', ...settled(phase).args, MOVING));
  const { all, processes, limits, by, snapshotsWithoutMappings, isCounted, isResidentKnown, ...source } =
    document.sources[0];
  t.deepEqual([isCounted, isResidentKnown], [false, false]);
  const [anonymous, ...others] = all.mappings;
  t.like(anonymous, { name: 'anonymous', kind: 'anonymous', rareBytes: 0 });
  isNear(t, anonymous.sizeBytes / MIB, AREA_MIB, 0.1, 'size');
  isNear(t, anonymous.residentBytes / MIB, AREA_MIB, 0.1, 'resident');
  isNear(t, anonymous.hotBytes / MIB, HOT_MIB, 1, 'hot');
  isNear(t, anonymous.warmBytes / MIB, 0, 2, 'warm');
  isNear(t, anonymous.coldBytes / MIB, AREA_MIB - HOT_MIB, 2, 'cold');
  isNear(t, anonymous.coldResidentBytes / MIB, AREA_MIB - HOT_MIB, 2, 'cold and resident');
  for (const { hotBytes } of others) t.true(hotBytes < MIB / 10);
  const names = others.map(({ name }: { name: string }) => name);
  for (const name of ['/out/bin/moving', '/usr/lib/x86_64-linux-gnu/libc.so.6', 'stack'])
    t.true(names.includes(name), name);
  const sum = all.mappings.reduce(
    (bytes: number, { coldBytes }: { coldBytes: number }) => bytes + coldBytes,
    0,
  );
  isNear(t, all.total.coldBytes, sum, 10, 'the sum');

  hasKeys(t, source, SOURCE);
  t.deepEqual([limits, by, snapshotsWithoutMappings], [{ warmShare: 0, hotShare: 0.5 }, 'name', 0]);
  hasKeys(t, all, 'total unmappedBytes mappings');
  hasKeys(t, anonymous, MAPPING);
  hasKeys(t, processes[0], `${PROCESS} ${KNOWN} total unmappedBytes mappings`);

  const text = await report(t, 'mappings', ...settled(phase).args, MOVING);
  t.regex(text, /\nanonymous +240 MiB +240 MiB +2[345](\.\d)? MiB .* 21[4567](\.\d)? MiB /);
});

const [FROM, TO] = [area.start, area.end].map((address) => address.toString(16));

test('heatmap: the rows that are bright are the hot ranges, phase by phase', async (t) => {
  const document = JSON.parse(await report(t, 'heatmap', '--json', '--range', `${FROM}-${TO}`, MOVING));
  const { processes, ...source } = document.sources[0];
  const { times, ranges, ...process } = processes[0];
  t.is(ranges.length, 1);
  const { addresses, shares } = ranges[0] as { addresses: string[]; shares: (number | null)[][] };
  const edges = addresses.map((address) => Number.parseInt(address, 16));
  t.deepEqual([edges[0], edges.at(-1)], [area.start, area.end]);
  for (const phase of PHASES) {
    const { startUs, endUs } = settled(phase);
    let columns = 0;
    let [bright, right] = [0, 0];
    for (const [i, [from, to]] of (times as [number, number][]).entries()) {
      if (from < startUs || to > endUs) continue;
      columns++;
      for (const [row, share] of shares[i]!.entries()) {
        if ((share ?? 0) < 0.5) continue;
        const span = { start: edges[row]!, end: edges[row + 1]! };
        bright += span.end - span.start;
        right += hotBytesIn(phase, span);
      }
    }
    t.true(columns >= 3, `${columns} snapshots`);
    isNear(t, bright / columns / MIB, HOT_MIB, 2, 'bright');
    isNear(t, right / columns / MIB, HOT_MIB, 2, 'and hot');
  }
  t.deepEqual([document.type, document.version], ['report heatmap', 1]);
  hasKeys(t, source, 'source startedAt check startUs endUs unknown isFlat leftOut');
  hasKeys(t, process, 'pid startTime comm snapshots watchedBytes accessesShown');
  hasKeys(t, ranges[0], 'addresses shares agesUs');
});

test('heatmap: so they are as digits in a pipe', async (t) => {
  const text = await report(t, 'heatmap', '--range', `${FROM}-${TO}`, MOVING);
  const rows = [...text.matchAll(/^([0-9a-f]{12}) ([\d. ]+?)(?: anonymous)?$/gm)].map(
    ([, address, cells]) => ({
      start: Number.parseInt(address!, 16),
      cells: cells!,
    }),
  );
  t.true(rows.length >= 20);
  const endUs = movingLines.reduce((us, line) => (line.type === 'snapshot' ? line.endUs : us), 0);
  for (const phase of PHASES) {
    const column = Math.floor(((phase.endUs - 2e6) / endUs) * rows[0]!.cells.length);
    for (const [i, { start, cells }] of rows.entries()) {
      const end = i === 0 ? area.end : rows[i - 1]!.start;
      const share = hotBytesIn(phase, { start, end }) / (end - start);
      const digit = Number(cells[column]!.replace('.', '0')) / 10;
      isNear(t, digit, share, 0.25, `at ${start.toString(16)}`);
    }
  }
});

test('diff: a recording does not differ from itself', async (t) => {
  const document = JSON.parse(await report(t, 'diff', '--json', MOVING, MOVING));
  const { before, after, mappings, limits } = document;
  t.deepEqual(before, after);
  t.true(mappings.length > 5);
  for (const { workingSetChange, hotChange, coldChange } of mappings)
    t.deepEqual([workingSetChange, hotChange, coldChange], [0, 0, 0]);
  hasKeys(t, document, 'type version limits before after mappings');
  t.deepEqual([document.type, document.version], ['report diff', 1]);
  hasKeys(t, limits, 'warmShare hotShare');
  hasKeys(t, before, `${SOURCE} processes known workingSet total unmappedBytes`);
  hasKeys(t, before.workingSet, 'bytes residentBytes unseenBytes');
  hasKeys(t, before.total, MAPPING);
  hasKeys(t, mappings[0], 'name before after workingSetChange hotChange coldChange');
  hasKeys(t, mappings[0].after, MAPPING);
});

/** The settled part of a phase as a record of its own, with some of its memory changed. */
function partOf(
  t: ExecutionContext,
  phase: Phase,
  change: (span: AddressSpan, nr: number) => number,
): string {
  const { startUs, endUs } = settled(phase);
  const lines = movingLines.flatMap((line): RecordLine[] => {
    if (line.type !== 'snapshot') return [line];
    if (line.startUs < startUs || line.endUs > endUs) return [];
    const regions = line.regions.map(([from, to, nr, age]) => {
      const span = { start: Number.parseInt(from, 16), end: Number.parseInt(to, 16) };
      return [from, to, change(span, nr), age] as const;
    });
    return [{ ...line, regions }];
  });
  const path = join(folderFor(t), 'part.ndjson');
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return path;
}

test('diff: where hot ranges are not read any more, so many MiB have become cold', async (t) => {
  const phase = PHASES[1]!;
  const before = partOf(t, phase, (_, nr) => nr);
  // As if the first of the three had been left out.
  const [range] = phase.hot;
  const around = { start: range!.start - MIB, end: range!.end + MIB };
  const after = partOf(t, phase, (span, nr) => (overlap(span, around) > 0 ? 0 : nr));
  const document = JSON.parse(await report(t, 'diff', '--json', before, after));
  const [anonymous] = document.mappings;
  t.is(anonymous.name, 'anonymous');
  isNear(t, anonymous.workingSetChange / MIB, -8, 1, 'working set');
  isNear(t, anonymous.hotChange / MIB, -8, 1, 'hot');
  isNear(t, anonymous.coldChange / MIB, 8, 1, 'cold');
  const text = await report(t, 'diff', before, after);
  t.regex(
    text,
    /\nanonymous +2[45](\.\d)? MiB +1[67](\.\d)? MiB +-[78](\.\d+)? MiB +-[78](\.\d+)? MiB +\+[78](\.\d+)? MiB\n/,
  );
});

test('diff: of two phases the places differ, the working set does not', async (t) => {
  const [first, second] = [PHASES[0]!, PHASES[1]!].map((phase) => partOf(t, phase, (_, nr) => nr));
  const { before, after } = JSON.parse(await report(t, 'diff', '--json', first!, second!));
  isNear(t, before.workingSet.bytes.p50 / MIB, HOT_MIB, 2, 'before');
  isNear(t, after.workingSet.bytes.p50 / MIB, HOT_MIB, 2, 'after');
});

test('raw: a line for every snapshot, with all of its regions', async (t) => {
  const lines = (await report(t, 'raw', '--json', MOVING))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const recorded = movingLines.filter((line) => line.type === 'snapshot');
  t.is(lines.length, recorded.length);
  for (const [i, { startUs, endUs, maxNrAccesses, regions, workingSetBytes }] of lines.entries()) {
    const line = recorded[i]!;
    t.deepEqual([startUs, endUs, maxNrAccesses], [line.startUs, line.endUs, line.maxNrAccesses]);
    t.deepEqual(
      regions.map((region: { startAddress: string; nrAccesses: number }) => [
        region.startAddress,
        region.nrAccesses,
      ]),
      line.regions.map(([start, , nrAccesses]) => [start, nrAccesses]),
    );
    const accessed = regions.filter(({ nrAccesses }: { nrAccesses: number }) => nrAccesses > 0);
    t.is(
      accessed.reduce((sum: number, { sizeBytes }: { sizeBytes: number }) => sum + sizeBytes, 0),
      workingSetBytes,
    );
  }
  hasKeys(
    t,
    lines[0],
    'type source pid startTime comm startUs endUs maxNrAccesses isSettling unknown workingSetBytes residentBytes unseenBytes ' +
      'attrs regions',
  );
  hasKeys(
    t,
    lines[0].regions[0],
    'startAddress sizeBytes residentBytes unseenBytes accessedBytes nrAccesses ageUs mapping',
  );
  const text = await report(t, 'raw', '--at', 'end', MOVING);
  t.regex(
    text,
    /: 77 moving, 4\d(\.\d)? s to 41\.9 s, working set [\d.]+ MiB, resident 241 MiB\n +address +size /,
  );
});
