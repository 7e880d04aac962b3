import { printable } from '../../core/printable.js';
import { heatOf, sizeOf } from '../../core/working-set.js';
import { nameOfRange } from '../region-mappings.js';
import type { Observation } from '../source/observation.js';
import { unknownOf, unknownSentences, whyUnknown } from '../status-text.js';
import { renderTable } from '../terminal-text.js';
import { formatBytes, formatDuration, formatShare } from '../units.js';
import { ageUs } from './summary.js';
import { formatAge } from './text.js';

/** One snapshot as a table of its regions, below a line that says whose and when. */
export function rawText(observation: Observation, source: string): string {
  const { snapshot, mappings } = observation;
  const { target, startUs, endUs, columns, pageSize, maxNrAccesses } = snapshot;
  const { startPages, endPages, nrAccesses, ages, residentPages, accessedPages } = columns;
  const bytes = (pages: number) => formatBytes(pages * pageSize);
  const rows = Array.from(startPages, (startPage, i) => [
    (startPage * pageSize).toString(16),
    bytes(sizeOf(columns, i)),
    ...(residentPages ? [bytes(residentPages[i]!)] : []),
    accessedPages
      ? `${bytes(accessedPages[i]!)} (${formatShare(heatOf(columns, i, maxNrAccesses))})`
      : `${nrAccesses[i]} of ${maxNrAccesses}`,
    formatAge(ageUs(snapshot, ages[i]!)),
    mappings.length > 0 ? nameOfRange(mappings, startPage, endPages[i]!, 30) : '-',
  ]);
  const { residentBytes, unknown } = knownOf(observation);
  const parts = [
    `${printable(source)}: ${target.pid} ${printable(target.comm)}`,
    `${formatDuration(startUs)} to ${formatDuration(endUs)}`,
    unknown ? 'working set not known' : `working set ${formatBytes(snapshot.workingSetBytes())}`,
    ...(residentBytes === undefined ? [] : [`resident ${formatBytes(residentBytes)}`]),
    ...(snapshot.unseenBytes() > 0 ? [`not seen ${formatBytes(snapshot.unseenBytes())}`] : []),
    ...(snapshot.isSettling ? ['regions are still being found'] : []),
  ];
  const head = ['address', 'size', ...(residentPages ? ['resident'] : []), 'accessed', 'age', 'mapping'];
  const why = unknown ? `\n${unknownSentences(unknown).join(' ')}` : '';
  return `${parts.join(', ')}${why}\n${renderTable([head, ...rows], [head.length - 1])}\n\n`;
}

/** One snapshot as a value for JSON (docs/reports.md). */
export function rawDocument(observation: Observation, source: string) {
  const { snapshot, mappings } = observation;
  const { target, startUs, endUs, columns, pageSize, maxNrAccesses, stats } = snapshot;
  const { startPages, endPages, nrAccesses, ages, residentPages, unseenPages, accessedPages } = columns;
  const bytes = (pages: Float64Array | undefined, i: number) =>
    pages ? Math.round(pages[i]! * pageSize) : null;
  const regions = Array.from(startPages, (startPage, i) => ({
    startAddress: (startPage * pageSize).toString(16),
    sizeBytes: sizeOf(columns, i) * pageSize,
    residentBytes: bytes(residentPages, i),
    unseenBytes: bytes(unseenPages, i),
    accessedBytes: bytes(accessedPages, i),
    nrAccesses: nrAccesses[i]!,
    ageUs: ageUs(snapshot, ages[i]!),
    mapping: mappings.length > 0 ? nameOfRange(mappings, startPage, endPages[i]!) : null,
  }));
  const { pid, startTime, comm } = target;
  const { residentBytes, unknown } = knownOf(observation);
  return {
    type: 'snapshot',
    source,
    pid,
    startTime,
    comm,
    startUs,
    endUs,
    maxNrAccesses,
    isSettling: snapshot.isSettling,
    unknown: unknown ? whyUnknown(unknown) : null,
    workingSetBytes: unknown ? null : snapshot.workingSetBytes(),
    residentBytes: residentBytes ?? null,
    unseenBytes: unseenPages ? snapshot.unseenBytes() : null,
    attrs: stats.inForce.attrs,
    regions,
  };
}

function knownOf({ snapshot, residentBytes: read }: Observation) {
  const residentBytes = snapshot.residentBytes ?? read;
  return { residentBytes, unknown: unknownOf(snapshot, residentBytes) };
}
