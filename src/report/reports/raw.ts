import { nameOfRange, printable } from '../mapping-names.js';
import type { Observation } from '../source/observation.js';
import { renderTable } from '../table.js';
import { formatBytes, formatDuration } from '../units.js';
import { ageUs } from './classes.js';
import { formatAge } from './text.js';

/** One snapshot as a table of its regions, below a line that says whose and when. */
export function rawText({ snapshot, mappings, residentBytes }: Observation, source: string): string {
  const { target, startUs, endUs, columns, pageSize, maxNrAccesses } = snapshot;
  const { startPages, endPages, nrAccesses, ages } = columns;
  const rows = Array.from(startPages, (startPage, i) => [
    (startPage * pageSize).toString(16),
    formatBytes((endPages[i]! - startPage) * pageSize),
    `${nrAccesses[i]} of ${maxNrAccesses}`,
    formatAge(ageUs(snapshot, ages[i]!)),
    mappings.length > 0 ? nameOfRange(mappings, startPage, endPages[i]!, 30) : '-',
  ]);
  const parts = [
    `${printable(source)}: ${target.pid} ${printable(target.comm)}`,
    `${formatDuration(startUs)} to ${formatDuration(endUs)}`,
    `working set ${formatBytes(snapshot.workingSetBytes())}`,
    ...(residentBytes === undefined ? [] : [`resident ${formatBytes(residentBytes)}`]),
  ];
  const table = renderTable([['address', 'size', 'accessed', 'age', 'mapping'], ...rows], [4]);
  return `${parts.join(', ')}\n${table}\n\n`;
}

/** One snapshot as a line of JSON (docs/reports.md). */
export function rawJson({ snapshot, mappings, residentBytes }: Observation, source: string): string {
  const { target, startUs, endUs, columns, pageSize, maxNrAccesses, stats } = snapshot;
  const { startPages, endPages, nrAccesses, ages } = columns;
  const regions = Array.from(startPages, (startPage, i) => ({
    startAddress: (startPage * pageSize).toString(16),
    sizeBytes: (endPages[i]! - startPage) * pageSize,
    nrAccesses: nrAccesses[i]!,
    ageUs: ageUs(snapshot, ages[i]!),
    mapping: mappings.length > 0 ? nameOfRange(mappings, startPage, endPages[i]!) : null,
  }));
  const { pid, startTime, comm } = target;
  return `${JSON.stringify({
    type: 'snapshot',
    source,
    pid,
    startTime,
    comm,
    startUs,
    endUs,
    maxNrAccesses,
    workingSetBytes: snapshot.workingSetBytes(),
    residentBytes: residentBytes ?? null,
    attrs: stats.inForce.attrs,
    regions,
  })}\n`;
}
