import { execFileSync, spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGzip } from 'node:zlib';
import { writeLargeRecord } from './record-file.js';

const READER = fileURLToPath(new URL('./record-reader.js', import.meta.url));
const MAIN = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const BYTES = 1e9;

export const RECORDS_HEAD = ['', 'seconds', 'of CPU', 'MB/s', 'peak resident', 'snapshots', 'regions'];
export const REPORTS_HEAD = ['', 'seconds', 'of CPU', 'peak resident'];

/** One process with all regions, and many with few each. */
export const MANY = 500;
const ONE_PROCESS = [1_000];
const MANY_PROCESSES = Array.from({ length: MANY }, (_, i) => 10 + (i % 21));

/** Reads a record of 1 GB in a process of its own: as a report does, plain and compressed, and only its lines. */
export async function recordsRows(): Promise<string[][]> {
  return inFolder(async (folder) => {
    const path = join(folder, 'it.ndjson');
    writeLargeRecord(path, BYTES, [300, 600, 1_000]);
    await pipeline(createReadStream(path), createGzip({ level: 1 }), createWriteStream(`${path}.gz`));
    const { size } = statSync(path);
    return [
      row('observations, plain', size, path, 'observations'),
      row('observations, compressed', size, `${path}.gz`, 'observations'),
      row('lines, by JSON.parse', size, path, 'lines'),
    ];
  });
}

/** Every report on records of 1 GB, as a command; `report diff` reads two. */
export async function reportsRows(): Promise<string[][]> {
  return inFolder(async (folder) => {
    const path = join(folder, 'it.ndjson');
    const rows: string[][] = [];
    for (const targets of [ONE_PROCESS, MANY_PROCESSES]) {
      writeLargeRecord(path, BYTES, targets);
      const whose = targets.length === 1 ? '1 process' : `${targets.length} processes`;
      for (const kind of ['wss', 'access', 'mappings', 'heatmap'])
        rows.push(commandRow(`${kind}, ${whose}`, ['report', kind, path]));
      // The whole record as text would be some gigabytes.
      rows.push(commandRow(`raw --at end, ${whose}`, ['report', 'raw', '--at', 'end', path]));
      rows.push(commandRow(`diff, ${whose}`, ['report', 'diff', path, path]));
    }
    return rows;
  });
}

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'pagepulse-bench-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a command costs, as its process reports on exit. */
function commandRow(name: string, args: readonly string[]): string[] {
  const tell =
    "import{writeSync}from'node:fs';process.on('exit',()=>writeSync(3,JSON.stringify(process.resourceUsage())))";
  const beginMs = performance.now();
  const { status, output } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(tell)}`, MAIN, ...args],
    { stdio: ['ignore', 'ignore', 'inherit', 'pipe'], encoding: 'utf8' },
  );
  const seconds = (performance.now() - beginMs) / 1e3;
  if (status !== 0) throw new Error(`pagepulse ${args.join(' ')} exited with ${status}`);
  const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(output[3]!);
  return [name, seconds.toFixed(1), ((userCPUTime + systemCPUTime) / 1e6).toFixed(1), `${mib(maxRSS)} MiB`];
}

function row(name: string, size: number, path: string, what: 'observations' | 'lines'): string[] {
  const text = execFileSync(process.execPath, [READER, path, what], { encoding: 'utf8' });
  const { seconds, cpuSeconds, residentMib, snapshots, regions } = JSON.parse(text);
  return [
    name,
    seconds.toFixed(1),
    cpuSeconds.toFixed(1),
    (size / 1e6 / seconds).toFixed(0),
    `${residentMib.toFixed(0)} MiB`,
    String(snapshots),
    String(regions),
  ];
}

const mib = (kib: number) => (kib / 1_024).toFixed(0);
