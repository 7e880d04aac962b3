import { cellsOfPanel, type HeatMap, spansOf } from './heat-map.js';

/**
 * A heat map as plain data (docs/heatmap.md). A range's `shares` and `agesUs` are lists of rows, from low addresses to high,
 * for each of the `times`; null if it was not watched.
 */
export function heatMapJson(map: HeatMap, { columns, rows }: { columns: number; rows: number }): object {
  const { source, leftOut, panels } = map;
  return {
    source: source.name,
    startedAt: source.startedAt,
    check: source.check,
    startUs: map.startUs,
    endUs: map.endUs,
    leftOut,
    unknown: map.unknown,
    isFlat: map.isFlat,
    processes: panels.map((panel) => {
      const { sums, watchedBytes, accessesShown } = panel;
      const spans = spansOf(sums, columns);
      return {
        pid: sums.target.pid,
        startTime: sums.target.startTime,
        comm: sums.target.comm,
        snapshots: sums.snapshots,
        watchedBytes,
        accessesShown,
        times: spans.map(({ startUs, endUs }) => [startUs, endUs]),
        ranges: cellsOfPanel(panel, rows, spans).map(({ rowEdges, shares, agesUs }) => {
          const count = rowEdges.length - 1;
          const byTime = (cells: Float64Array) =>
            spans.map((_, column) => Array.from(cells.subarray(column * count, (column + 1) * count)));
          return {
            addresses: Array.from(rowEdges, (page) => (page * sums.pageSize).toString(16)),
            shares: byTime(shares),
            agesUs: byTime(agesUs),
          };
        }),
      };
    }),
  };
}
