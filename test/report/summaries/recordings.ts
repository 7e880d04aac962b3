import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { RecordedMapping, RecordedRegion, SnapshotLine } from '../../../src/record/format.js';
import { type Window, within } from '../../../src/report/source/observation.js';
import { openRecord } from '../../../src/report/source/recorded.js';
import type { Summary } from '../../../src/report/summaries/summary.js';
import { folderFor } from '../../helpers/fixtures.js';
import { HEADER, TARGET } from '../../helpers/records.js';
import { PAGE } from '../../helpers/snapshots.js';

export type SnapshotOf = readonly [
  startUs: number,
  endUs: number,
  regions: readonly RecordedRegion[],
  target?: number,
  /** Further fields of the line. */
  more?: Partial<SnapshotLine>,
];

export interface Recording {
  readonly targets?: readonly object[];
  readonly snapshots: readonly SnapshotOf[];
  /** Whether it has an end line; true unless told otherwise. */
  readonly end?: boolean;
}

/** 16 pages each of heap and anonymous memory, a gap of 16, 8 of a library, and 4 that nobody may access. */
const MAPPINGS: readonly RecordedMapping[] = [
  ['10000', '20000', 'rw-p', '[heap]'],
  ['20000', '30000', 'rw-p', ''],
  ['40000', '48000', 'r-xp', '/lib/libc.so.6'],
  ['48000', '4c000', '---p', ''],
];

export const POSTGRES = {
  ...TARGET,
  mappings: MAPPINGS,
  residentBytes: 28 * PAGE,
  resident: [
    ['10000', 16 * PAGE],
    ['20000', 8 * PAGE],
    ['40000', 4 * PAGE],
  ],
};

/**
 * 100 ms in which all of the heap is hot and the anonymous memory accessed in a fifth of the samples, and 300 ms in which
 * the lower half of the heap is hot and nothing else accessed. All of it can be checked by hand.
 */
export const BY_HAND: Recording = {
  targets: [POSTGRES],
  snapshots: [
    [
      0,
      100_000,
      [
        ['10000', '20000', 20, 5],
        ['20000', '40000', 4, 0],
        ['40000', '4c000', 0, 600],
      ],
    ],
    [
      100_000,
      400_000,
      [
        ['10000', '18000', 20, 8],
        ['18000', '20000', 0, 2],
        ['20000', '40000', 0, 3],
        ['40000', '4c000', 0, 601],
      ],
    ],
  ],
};

/** A target that nothing is known of but its name. */
export const processOf = (id: number, rest: object = {}) => ({ ...TARGET, id, pid: 4242 + id, ...rest });

export function textOf({ targets = [POSTGRES], snapshots, end = true }: Recording): string {
  const lines = [
    { type: 'header', version: 1, ...HEADER },
    ...targets.map((target) => ({ type: 'target', ...target })),
    ...snapshots.map(([startUs, endUs, regions, target = 0, more]) => ({
      type: 'snapshot',
      target,
      startUs,
      endUs,
      maxNrAccesses: 20,
      regions,
      ...more,
    })),
    ...(end ? [{ type: 'end', reason: 'stopped', stats: {} }] : []),
  ];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

export function fileOf(t: ExecutionContext, recording: Recording, name = 'it.ndjson'): string {
  const path = join(folderFor(t), name);
  writeFileSync(path, textOf(recording));
  return path;
}

/** What a report says of a recording, which goes through a file as any other. */
export async function reportOn<Result>(
  t: ExecutionContext,
  recording: Recording,
  report: Summary<Result>,
  window: Window = {},
): Promise<Result> {
  const source = await openRecord(fileOf(t, recording));
  for await (const observation of within(source.observations(), window)) report.add(observation);
  return report.result();
}
