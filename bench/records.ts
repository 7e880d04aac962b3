import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGzip } from 'node:zlib';
import { writeLargeRecord } from './record-file.js';

const READER = fileURLToPath(new URL('./record-reader.js', import.meta.url));
const BYTES = 1e9;

export const RECORDS_HEAD = ['', 'seconds', 'of CPU', 'MB/s', 'peak resident', 'snapshots', 'regions'];

/** Reads a record of 1 GB in a process of its own: as a report does, plain and compressed, and its lines as JSON. */
export async function recordsRows(): Promise<string[][]> {
  const folder = mkdtempSync(join(tmpdir(), 'pagepulse-bench-'));
  try {
    const path = join(folder, 'it.ndjson');
    writeLargeRecord(path, BYTES);
    await pipeline(createReadStream(path), createGzip({ level: 1 }), createWriteStream(`${path}.gz`));
    const { size } = statSync(path);
    return [
      row('observations, plain', size, path, 'observations'),
      row('observations, compressed', size, `${path}.gz`, 'observations'),
      row('lines, by JSON.parse', size, path, 'lines'),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
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
