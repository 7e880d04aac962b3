import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync, constants as zlib } from 'node:zlib';
import test from 'ava';
import { RandomStreams, randomFrom } from '../../src/core/random.js';
import { readColumnar, readRecord } from '../../src/record/reader.js';
import { RecordWriter } from '../../src/record/writer.js';
import { folderFor } from '../helpers/fixtures.js';
import { HEADER, STATS, snapshotOf, TARGET } from '../helpers/records.js';
import type { RegionRow } from '../helpers/snapshots.js';

const SNAPSHOTS = 40;

/** A record with snapshots of 0 to 29 regions. */
async function writeRecord(path: string, next: () => number): Promise<Buffer> {
  const writer = RecordWriter.create(path);
  await writer.header(HEADER);
  await writer.target(TARGET, { mappings: [['1000', '3000', 'rw-p', '[heap]']], residentBytes: 8192 });
  for (let i = 0; i < SNAPSHOTS; i++) {
    const rows = Array.from(
      { length: next() % 30 },
      (_, page): RegionRow => [page, page + 1, next() % 21, next() % 1_000],
    );
    await writer.snapshot(snapshotOf(rows));
    if (i % 10 === 0) await writer.mappings(TARGET, i, { removed: ['1000'], residentBytes: next() });
  }
  await writer.end('stopped', STATS);
  await writer.close();
  return readFileSync(path);
}

/** What zlib alone can decompress. */
function unpacked(bytes: Buffer, isPacked: boolean): string {
  const plain = isPacked ? gunzipSync(bytes, { finishFlush: zlib.Z_SYNC_FLUSH }) : bytes;
  return plain.toString();
}

for (const name of ['it.ndjson', 'it.ndjson.gz']) {
  test(`${name}, cut off at 200 random bytes, is readable up to its last whole line`, async (t) => {
    const seed = randomInt(2 ** 31);
    t.log(`seed ${seed}`);
    const random = randomFrom(new RandomStreams(seed).next());
    const next = () => random.next() >>> 0;
    const whole = await writeRecord(join(folderFor(t), name), next);
    for (let i = 0; i < 200; i++) {
      const cut = whole.subarray(0, next() % whole.length);
      const text = unpacked(cut, name.endsWith('.gz'));
      const lines = text.split('\n');
      const last = lines.pop()!;
      // It only lacks its line feed.
      if (last.endsWith('}') && isJson(last)) lines.push(last);
      const types = lines.map((line) => JSON.parse(line).type);
      for (const read of [readRecord, readColumnar]) {
        const reader = read(Readable.from([cut]));
        const seen: string[] = [];
        for await (const { type } of reader) seen.push(type);
        t.deepEqual(seen, types, `seed ${seed}: cut off at ${cut.length} of ${whole.length}`);
        t.is(reader.skippedLines, 0);
        t.is(reader.truncated, types.at(-1) !== 'end');
      }
    }
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
