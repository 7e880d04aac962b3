import { cpus, release } from 'node:os';
import { Guest } from '../machine/guest.js';
import type { CompareRequest, Method } from '../machine/protocol.js';
import { type Measured, measured, type Run } from './measured.js';
import { table } from './table.js';

// `npm run lab:compare`: Pagepulse beside the kernel's own DAMON and a full scan, on the same workloads, in one guest, in
// turn. Prints a table for docs/lab.md. A workload is watched twice, by the one and by the other in turn and then in the
// other order, so that what the machine does meanwhile falls on neither alone. A loop that is as busy as Pagepulse was
// tells what that alone does to the workload.

const SECONDS = 15;
const BUSY_SECONDS = 8;
const WORKLOADS = [
  { start: 'hotcold 256 100 32', seconds: SECONDS },
  { start: 'hotcold 256 100 32 thp', seconds: SECONDS },
  { start: 'hotcold 512 300 4', seconds: SECONDS },
  { start: 'moving 240 24 10', seconds: 2 * SECONDS },
  { start: 'threads 16 32', seconds: SECONDS },
  { start: 'splitthp 64', seconds: SECONDS },
] as const;

const words = process.argv.slice(2);
const chosen = WORKLOADS.filter(({ start }) => words.every((word) => start.includes(word)));
await Guest.during(async (guest) => {
  const rows: Measured[] = [];
  for (const { start, seconds } of chosen) {
    const runs: Run[] = [];
    const run = async (method: Method, more: Partial<CompareRequest> = {}) => {
      process.stderr.write(`${start}: ${method}\n`);
      runs.push({ method, ...(await guest.compare({ method, start, seconds, ...more })) });
      return runs.at(-1)!;
    };
    const { cost } = await run('Pagepulse');
    await run('DAMON');
    await run('full scan');
    await run('DAMON');
    await run('Pagepulse');
    const busy = { busyPercent: Math.round(cost!.cpuPercent), seconds: BUSY_SECONDS };
    await run('busy loop', busy);
    await run('busy loop', busy);
    rows.push(...measured(start, runs));
  }
  const kernel = (await guest.shell('uname -r')).trim();
  console.log(
    `${new Date().toISOString().slice(0, 10)}, Linux ${kernel} in QEMU (software emulation, 2 processors)`,
  );
  console.log(`on Linux ${release()}, ${cpus()[0]?.model}, Node ${process.version}\n`);
  console.log(table(rows));
});
