import type { RecordLine } from '../src/record/format.js';

/** @throws Error if a number in it, however deep, is NaN, infinite or negative */
export function requireFinite(value: unknown, path = ''): void {
  if (typeof value === 'number') {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) throw new Error(`${path || 'it'} is ${value}`);
  } else if (ArrayBuffer.isView(value)) {
    for (const element of value as Float64Array) requireFinite(element, path);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) requireFinite(member, `${path}.${key}`);
  }
}

/** @throws Error if an accepted line is invalid in the fields that all readers use */
export function requireGoodLine(line: RecordLine): void {
  if (line.type === 'snapshot') {
    const { target, startUs, endUs, maxNrAccesses, residentBytes = 0, regions } = line;
    const { resident = [], unseen = [], accessed = [] } = line.memory ?? {}; // other fields may be anything
    requireFinite({
      target,
      startUs,
      us: endUs - startUs,
      maxNrAccesses: maxNrAccesses - 1,
      residentBytes,
      memory: [resident, unseen, accessed],
    });
    for (const [start, end, nrAccesses, age] of regions)
      requireFinite([Number.parseInt(start, 16), Number.parseInt(end, 16), nrAccesses, age]);
  } else if (line.type === 'header' || line.type === 'attrs') {
    const { sampleUs, aggrUs, updateUs, minRegions, maxRegions } = line.attrs;
    requireFinite([sampleUs - 1, aggrUs - sampleUs, updateUs, minRegions, maxRegions]);
  } else if (line.type === 'target') {
    requireFinite([
      line.id,
      line.pid,
      line.residentBytes ?? 0,
      line.resident?.map(([, bytes]) => bytes) ?? [],
    ]);
  }
  if (Object.hasOwn(Object.prototype, 'x')) throw new Error('it has polluted Object.prototype');
}
