import test, { type ExecutionContext } from 'ava';
import type { RecordedRegion, SnapshotLine } from '../../../src/record/format.js';
import { openRecord } from '../../../src/report/source/recorded.js';
import { AccessSummary, selectRegions } from '../../../src/report/summaries/access.js';
import { renderAccess } from '../../../src/report/summaries/access-text.js';
import { changesBetween, DiffSideSummary, renderDiff } from '../../../src/report/summaries/diff.js';
import { MappingsSummary } from '../../../src/report/summaries/mappings.js';
import { renderMappings } from '../../../src/report/summaries/mappings-text.js';
import { rawDocument, rawText } from '../../../src/report/summaries/raw.js';
import type { SourceInfo } from '../../../src/report/summaries/summary.js';
import { renderWss, WssSummary } from '../../../src/report/summaries/wss.js';
import { PAGE } from '../../helpers/snapshots.js';
import { fileOf, POSTGRES, processOf, type Recording, reportOn } from './recordings.js';

// Reports of records that say what of each region is resident (since 0.2).

const ANY = { minAccessShare: 0 };
const LIMITS = { warmShare: 0, hotShare: 0.5 };
const SOURCE: SourceInfo = {
  source: 'it.ndjson',
  startedAt: '',
  check: 'idle-page',
  pageSize: PAGE,
  startUs: 0,
  endUs: 100_000,
  snapshots: 1,
  notes: [],
};
const bytes = (...pages: number[]) => pages.map((count) => count * PAGE);
const pages = (count: number | null) => (count === null ? null : count / PAGE);

/** One snapshot of these regions, with what is said of their memory. */
const recordingOf = (
  regions: readonly RecordedRegion[],
  more: Partial<SnapshotLine>,
  target: object = POSTGRES,
): Recording => ({ targets: [target], snapshots: [[0, 100_000, regions, 0, more]] });

/** Of 16 pages of heap 8 are resident and 4 accessed; of 8 of a library 4 and 2; of 16 anonymous ones 6 and 0. */
const COUNTED = recordingOf(
  [
    ['10000', '20000', 1, 3],
    ['20000', '30000', 0, 600],
    ['40000', '48000', 1, 0],
    ['48000', '4c000', 0, 601],
  ],
  {
    maxNrAccesses: 1,
    residentBytes: 18 * PAGE,
    memory: { resident: bytes(8, 6, 4, 0), accessed: bytes(4, 0, 2, 0) },
  },
);

/** All texts that there are of a recording. */
async function textsOf(t: ExecutionContext, recording: Recording): Promise<Record<string, string>> {
  const access = await reportOn(t, recording, new AccessSummary());
  const side = { source: SOURCE, side: await reportOn(t, recording, new DiffSideSummary(LIMITS)) };
  const changes = changesBetween(side.side.mappings, side.side.mappings);
  const source = await openRecord(fileOf(t, recording, 'raw.ndjson'));
  let raw = '';
  for await (const observation of source.observations()) raw += rawText(observation, 'it.ndjson');
  return {
    wss: renderWss(SOURCE, await reportOn(t, recording, new WssSummary(ANY)), 20),
    mappings: renderMappings(SOURCE, await reportOn(t, recording, new MappingsSummary()), {
      limit: 20,
      perProcess: false,
    }),
    access: renderAccess(SOURCE, access, selectRegions(access.regions, { sort: 'access' }), 20),
    diff: renderDiff(side, side, changes, 20),
    raw,
  };
}

test('counted by mapping: the working set is the bytes, and what of them is of shared files is told apart', async (t) => {
  const { all, isCounted, processes } = await reportOn(t, COUNTED, new WssSummary(ANY));
  t.true(isCounted);
  t.deepEqual([all!.bytes!.p95, all!.residentP95Bytes, all!.sharedFileBytes].map(pages), [6, 18, 2]);
  t.like(processes[0], { warmUpUs: 0, isSettled: true, unknown: null });
  const { wss } = await textsOf(t, COUNTED);
  t.regex(wss!, /\nNeeds 24 KiB of 72 KiB resident, for 95 % of the time \(33 %\)\.\n/);
  t.regex(wss!, /\n8 KiB of the mean are in mappings of files, which others may have accessed:\n/);
});

test('counted by mapping: mappings are accessed and cold, and nothing is hot', async (t) => {
  const { all } = await reportOn(t, COUNTED, new MappingsSummary());
  t.deepEqual(
    all.mappings.map((use) => [
      use.name,
      ...[use.residentBytes, use.accessedBytes, use.coldBytes, use.sharedFileBytes].map(pages),
    ]),
    [
      ['heap', 8, 4, 4, 0],
      ['/lib/libc.so.6', 4, 2, 2, 2],
      ['anonymous', 6, 0, 6, 0],
      ['reserved', 0, 0, 0, 0],
    ],
  );
  t.true(all.mappings.every(({ hotBytes, warmBytes, rareBytes }) => !hotBytes && !warmBytes && !rareBytes));
  t.is(all.total.hotBytes, null);
  t.is(pages(all.total.coldResidentBytes), 12);
  const { mappings, diff } = await textsOf(t, COUNTED);
  t.regex(mappings!, /\nmapping +size +resident +accessed +cold +cold for\n/);
  t.regex(mappings!, /\n\/lib\/libc\.so\.6 \* +32 KiB +16 KiB +8 KiB +8 KiB +-\n/);
  t.regex(
    mappings!,
    /\nOf 72 KiB resident, 48 KiB was cold\.\n\* mappings of files: 8 KiB of the accessed memory/,
  );
  t.regex(diff!, /\nworking set in +before +after +change +cold\n/);
});

test('counted by mapping: access shares are of what is resident, and its bytes are in the sums', async (t) => {
  const { regions, byShare, untouched } = await reportOn(t, COUNTED, new AccessSummary());
  t.deepEqual(
    regions.map(({ accessShare, residentBytes, accessedBytes }) => [
      accessShare,
      pages(residentBytes),
      pages(accessedBytes),
    ]),
    [
      [0.5, 8, 4],
      [0, 6, 0],
      [0.5, 4, 2],
      [0, 0, 0],
    ],
  );
  t.deepEqual(
    [byShare[0], byShare[5]].map((bin) => pages(bin!.bytes)),
    [6, 12],
  );
  t.is(pages(untouched[0]!.bytes), 12);
  const { access, raw } = await textsOf(t, COUNTED);
  t.regex(access!, /\nFlat per mapping: /);
  t.regex(raw!, /\n +10000 +64 KiB +32 KiB +16 KiB \(50 %\) /);
});

test('sampled: gaps, reserved addresses and what is not resident count nothing', async (t) => {
  // One region over heap, anonymous memory, the gap, a library and what nobody may access: 28 of its 60 pages are resident.
  const recording = recordingOf([['10000', '4c000', 20, 1]], {
    residentBytes: 28 * PAGE,
    memory: { resident: bytes(30) },
  });
  const { all } = await reportOn(t, recording, new WssSummary(ANY));
  t.is(pages(all!.bytes!.max), 28, 'at most what the process has');
  const { all: mapped } = await reportOn(t, recording, new MappingsSummary());
  t.deepEqual(
    mapped.mappings.map(({ name, hotBytes }) => [name, pages(hotBytes)]),
    [
      ['heap', 16],
      ['anonymous', 8],
      ['/lib/libc.so.6', 4],
      ['reserved', 0],
    ],
    'and of each mapping at most what is resident of it',
  );
  const { wss, mappings, access } = await textsOf(t, recording);
  t.regex(wss!, /resident, for 95 % of the time \(100 %\)\.\n/);
  for (const text of [wss, mappings, access]) t.notRegex(text!, />100 %|whole regions|between the mappings/);
});

test('sampled: where all is resident, figures are as they were', async (t) => {
  const rows: RecordedRegion[] = [
    ['10000', '18000', 20, 5],
    ['18000', '30000', 4, 0],
  ];
  const all = processOf(0, {
    mappings: [['10000', '30000', 'rw-p', '[heap]']],
    residentBytes: 32 * PAGE,
    resident: [['10000', 32 * PAGE]],
  });
  const before = recordingOf(rows, {}, all);
  const now = recordingOf(rows, { residentBytes: 32 * PAGE, memory: { resident: bytes(8, 24) } }, all);
  const usesOf = async (recording: Recording) =>
    (await reportOn(t, recording, new MappingsSummary())).all.mappings.map(
      ({ hotBytes, warmBytes, coldBytes, coldResidentBytes }) => [
        hotBytes,
        warmBytes,
        coldBytes,
        coldResidentBytes,
      ],
    );
  t.deepEqual(await usesOf(now), await usesOf(before));
  const accessOf = async (recording: Recording) => {
    const { byShare, untouched } = await reportOn(t, recording, new AccessSummary());
    return { byShare, untouched };
  };
  t.deepEqual(await accessOf(now), await accessOf(before));
});

test('what cannot be seen is neither accessed nor cold', async (t) => {
  const recording = recordingOf(
    [
      ['10000', '20000', 20, 5],
      ['20000', '30000', 0, 5],
    ],
    { residentBytes: 24 * PAGE, memory: { resident: bytes(16, 8), unseen: bytes(0, 8) } },
  );
  const { all } = await reportOn(t, recording, new MappingsSummary());
  t.deepEqual([all.total.hotBytes, all.total.coldBytes, all.total.unseenBytes].map(pages), [16, 0, 8]);
  const { untouched } = await reportOn(t, recording, new AccessSummary());
  t.is(untouched[0]!.bytes, 0);
  const texts = await textsOf(t, recording);
  t.regex(texts.wss!, /\nNot seen: 32 KiB resident \(hugetlb, /);
  t.regex(texts.mappings!, /\nmapping .* cold +not seen +cold for\n/);
  t.regex(texts.access!, /\nNot seen: 32 KiB resident/);
  t.regex(texts.diff!, /\nnot seen +32 KiB +32 KiB +0 B\n/);
  t.regex(texts.raw!, /, not seen 32 KiB\n/);
});

/** 8 TiB of which 32 MiB are resident, as a program with a large reserved arena has them. */
const SPARSE = recordingOf(
  [
    ['100000000000', '140000000000', 0, 9],
    ['140000000000', '180000000000', 0, 9],
  ],
  { residentBytes: 32 * 2 ** 20, memory: { resident: [0, 0] } },
  processOf(0, {
    mappings: [['100000000000', '180000000000', 'rw-p', '']],
    residentBytes: 32 * 2 ** 20,
    resident: [['100000000000', 32 * 2 ** 20]],
  }),
);

test('where samples hardly ever meet memory, nothing pretends: it is not known, why, and what helps', async (t) => {
  const texts = await textsOf(t, SPARSE);
  for (const [name, text] of Object.entries(texts)) {
    t.regex(text, /0\.0004 % of the 8 TiB watched is resident, so samples rarely hit memory/, name);
    t.regex(text, /Try --cover mapped, or --check referenced/, name);
    if (name !== 'raw') t.notRegex(text.replace(/^resident .*$/m, ''), /\b0 B\b|was cold/, name);
  }
  t.regex(texts.mappings!, /\nanonymous +8 TiB +32 MiB +- +- +- +-\n/);
  const { all, processes } = await reportOn(t, SPARSE, new WssSummary(ANY));
  t.is(all!.bytes, null);
  t.regex(processes[0]!.unknown!, /^0\.0004 %/);
  const mapped = await reportOn(t, SPARSE, new MappingsSummary());
  t.like(mapped.all.total, { hotBytes: null, coldBytes: null, coldResidentBytes: null, accessedBytes: null });
  const source = await openRecord(fileOf(t, SPARSE));
  for await (const observation of source.observations())
    t.like(rawDocument(observation, 'it.ndjson'), { workingSetBytes: null });
});

test('the same of records that do not say what of the regions is resident, but of the process', async (t) => {
  const [[startUs, endUs, regions]] = SPARSE.snapshots as [Recording['snapshots'][number]];
  const { processes } = await reportOn(
    t,
    { ...SPARSE, snapshots: [[startUs, endUs, regions]] },
    new WssSummary(ANY),
  );
  t.is(processes[0]!.bytes, null);
});

test('of several processes the sums are of those that are known', async (t) => {
  const [sparse] = SPARSE.snapshots;
  const recording: Recording = {
    targets: [...SPARSE.targets!, { ...POSTGRES, id: 1, pid: 7, comm: 'known' }],
    snapshots: [
      sparse!,
      [
        0,
        100_000,
        [['10000', '20000', 20, 5]],
        1,
        { residentBytes: 28 * PAGE, memory: { resident: bytes(16) } },
      ],
    ],
  };
  const { all } = await reportOn(t, recording, new WssSummary(ANY));
  t.is(pages(all!.bytes!.max), 16);
  const { wss, mappings } = await textsOf(t, recording);
  for (const text of [wss, mappings])
    t.regex(text!, /\nNothing known of 4242 .*\n.*\n.* Sums cover the other processes\.\n/);
});

/** Each snapshot of 100 ms; the first ones of regions that are still being found. */
function settling(isSettling: readonly boolean[], accessedPages: readonly number[]): Recording {
  return {
    targets: [POSTGRES],
    snapshots: accessedPages.map((count, i) => [
      i * 100_000,
      (i + 1) * 100_000,
      [
        ['10000', (0x10000 + count * PAGE).toString(16), 20, i],
        [(0x10000 + count * PAGE).toString(16), '30000', 0, i],
      ],
      0,
      {
        residentBytes: 28 * PAGE,
        memory: { resident: bytes(count, 24 - count) },
        ...(isSettling[i] && { settling: true as const }),
      },
    ]),
  };
}

test('what was seen while regions were still being found is left out, and how long that took is said', async (t) => {
  const recording = settling([true, true, false, false], [24, 12, 4, 4]);
  const { all, processes } = await reportOn(t, recording, new WssSummary(ANY));
  t.is(pages(all!.bytes!.max), 4);
  t.like(processes[0], { warmUpUs: 200_000, isSettled: true, snapshots: 2 });
  t.is(pages((await reportOn(t, recording, new MappingsSummary())).all.total.hotBytes), 4);
  t.is(pages((await reportOn(t, recording, new AccessSummary())).byShare[10]!.bytes), 4);
  const texts = await textsOf(t, recording);
  for (const name of ['wss', 'mappings', 'access', 'diff'])
    t.regex(texts[name]!, /Left out: the first 200 ms, while regions were still being found\./, name);
});

test('where they never settled all of it counts, and that is said', async (t) => {
  const recording = settling([true, true], [24, 12]);
  const { all, processes } = await reportOn(t, recording, new WssSummary(ANY));
  t.is(pages(all!.bytes!.max), 24);
  t.like(processes[0], { warmUpUs: 0, isSettled: false });
  t.regex(
    (await textsOf(t, recording)).wss!,
    /\nThe regions were still being found at the end, so all of the time counts:\n/,
  );
});
