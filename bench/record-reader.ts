import { readRecord } from '../src/record/reader.js';
import { openRecord } from '../src/report/source/recorded.js';

// Reads a record as `pagepulse report` does, or only its lines, and prints what that cost. Arguments: path, what to read.
const [path, what] = process.argv.slice(2) as [string, 'observations' | 'lines'];
const beginMs = performance.now();
let snapshots = 0;
let regions = 0;
let workingSetBytes = 0;
if (what === 'observations') {
  for await (const { snapshot } of (await openRecord(path)).observations()) {
    snapshots++;
    regions += snapshot.columns.startPages.length;
    workingSetBytes += snapshot.workingSetBytes();
  }
} else {
  for await (const line of readRecord(path)) {
    if (line.type !== 'snapshot') continue;
    snapshots++;
    regions += line.regions.length;
  }
}
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
console.log(
  JSON.stringify({
    seconds: (performance.now() - beginMs) / 1e3,
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    residentMib: maxRSS / 1_024,
    snapshots,
    regions,
    workingSetBytes,
  }),
);
