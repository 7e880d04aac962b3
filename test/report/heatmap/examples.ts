import type { Snapshot } from '../../../src/core/snapshot.js';
import type { ObservedMapping } from '../../../src/record/observed-memory.js';
import { heatMapOf } from '../../../src/report/heatmap/heat-map.js';
import type { RangeChoice } from '../../../src/report/heatmap/ranges.js';
import { gather, type SumLimits } from '../../../src/report/heatmap/sums.js';
import type { Observation, ObservationSource } from '../../../src/report/source/observation.js';
import { type RegionRow, snapshotOf } from '../../helpers/snapshots.js';

export const MIB_PAGES = 256;
export const TIB_PAGES = 2 ** 28;

/** Snapshots of 100 ms each, 20 sampling intervals long, one after the other. */
export function snapshotsOf(rows: readonly (readonly RegionRow[])[], pid = 4242, comm = 'app'): Snapshot[] {
  return rows.map((each, i) => snapshotOf({ rows: each, pid, comm, endUs: (i + 1) * 100_000 }));
}

export function sourceOf(
  snapshots: Iterable<Snapshot>,
  mappings: readonly ObservedMapping[] = [],
): ObservationSource {
  return {
    header: { name: 'it.ndjson', startedAt: '2026-01-31T12:00:00.000Z', check: 'idle-page', pageSize: 4096 },
    async *observations(): AsyncGenerator<Observation> {
      for (const snapshot of snapshots) yield { snapshot, mappings, residentBytes: undefined };
    },
    notes: () => [],
  };
}

export async function mapOf(
  source: ObservationSource,
  choice: RangeChoice = 'all',
  { panels = 4, limits }: { panels?: number; limits?: SumLimits } = {},
) {
  const targets = await gather(source, limits && { limits });
  return heatMapOf(source.header, targets, choice, panels);
}

export function mappingOf(startPage: number, endPage: number, name: string): ObservedMapping {
  return { startPage, endPage, permissions: 'rw-p', name, residentBytes: undefined };
}
