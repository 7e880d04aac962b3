import { deflateSync, gzipSync } from 'node:zlib';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { RECORD_COLUMNS } from '../../src/record/convert/table.js';
import { headerOf, snapshotLineOf, targetOf, textOf } from '../helpers/records.js';

const header = textOf([headerOf()]);
const target = textOf([targetOf()]);
const snapshot = textOf([snapshotLineOf([], { endUs: 1 })]);
const begin = header + target;

/** Text that hardly compresses: what follows may expand to 64 times its size. */
function dense(bytes: number): string {
  const random = xoroshiro128plus(1);
  return Buffer.from(Array.from({ length: (bytes * 3) / 4 }, () => random.next())).toString('base64');
}

/** A line of unknown type. */
const credit = `{"type":"x","x":"${dense(700_000)}"}\n`;

/** Compresses many megabytes of text to one or less. */
function packed(...texts: (string | Buffer)[]): Buffer {
  return gzipSync(Buffer.concat(texts.map((text) => Buffer.from(text))), { level: 9 });
}

/** A snapshot with regions of this size. */
function largeSnapshot(bytes: number, region = '["1000","2000",1,2]'): string {
  return snapshot.replace('[]', `[${Array(Math.floor(bytes / (region.length + 1))).fill(region)}]`);
}

function numbered(count: number, text: (n: number) => string): string {
  return Array.from({ length: count }, (_, n) => text(n)).join('');
}

const MIB = 2 ** 20;

/** Harmful records of up to a megabyte, and the expected complaint; none if the record is valid but large. */
export const RECORDS: Readonly<
  Record<string, readonly [content: () => string | Buffer, complaint?: RegExp]>
> = {
  'zeros without a line end, compressed': [
    () => packed(begin, credit, Buffer.alloc(900 * MIB)),
    /expand to more than|more than \d+ bytes/,
  ],
  'a line of 40 MiB, compressed': [
    () => packed(begin, credit, 'x'.repeat(40 * MIB), '\n'),
    /line 4 has more than 33554432 bytes/,
  ],
  'short lines that are damaged': [() => begin + 'x\n'.repeat(MIB / 2), /expand to more than 64 times/],
  'short lines that are damaged, compressed': [
    () => packed(begin, credit, 'x\n'.repeat(100 * MIB)),
    /expand to more than/,
  ],
  'lines of unknown type, compressed': [
    () => packed(begin, credit, '{"type":"x"}\n'.repeat(10 * MIB)),
    /expand to more than/,
  ],
  'snapshots without regions, compressed': [
    () => packed(begin, credit, snapshot.repeat(MIB)),
    /expand to more than/,
  ],
  'snapshots of many targets': [
    () =>
      packed(
        begin,
        credit,
        numbered(120_000, (n) => target.replace('"id":0', `"id":${n}`) + snapshot.replace(':0', `:${n}`)),
      ),
    /expand to more than 64 times/,
  ],
  'one process with 100,000 mappings that change': [
    () => {
      const mapping = (n: number) =>
        `["${(n * 8192).toString(16)}","${(n * 8192 + 4096).toString(16)}","rw-p",""]`;
      const mappings = Array.from({ length: 100_000 }, (_, n) => mapping(n));
      const change = `{"type":"mappings","target":0,"atUs":1,"mappings":[${mapping(1)}]}\n`;
      return packed(
        header,
        credit,
        target.replace(']}', `],"mappings":[${mappings}]}`),
        (change + snapshot.replace('[]', '[["1000","ffffffff000",1,1]]')).repeat(40_000),
      );
    },
    /expand to more than/,
  ],
  'overlapping regions over many mappings': [
    () => {
      const mappings = numbered(
        20_000,
        (n) => `["${(n * 8192).toString(16)}","${(n * 8192 + 4096).toString(16)}","rw-p","${n}"],`,
      );
      const large = snapshot.replace('[]', `[${Array(10_000).fill('["1000","ffffffff000",1,1]')}]`);
      return packed(
        header,
        credit,
        target.replace(']}', `],"mappings":[${mappings.slice(0, -1)}]}`),
        large.repeat(100),
      );
    },
    /./,
  ],
  'snapshots of 150,000 regions, compressed': [
    () =>
      packed(
        begin,
        credit,
        snapshot
          .replace(
            '[]',
            `[${numbered(150_000, (n) => `["${(n + 4096).toString(16)}000","${(n + 4097).toString(16)}000",1,2],`).slice(0, -1)}]`,
          )
          .repeat(5),
      ),
  ],
  'large regions over mappings with names of their own': [
    () => {
      const mappings = numbered(
        40_000,
        (n) => `["${(n * 8192).toString(16)}","${(n * 8192 + 4096).toString(16)}","rw-p","${n}"],`,
      );
      const one = (n: number) =>
        snapshot.replace('[]', `[["1000","${(2 ** 44 + n * 4096).toString(16)}",1,1]]`);
      return packed(
        header,
        credit,
        target.replace(']}', `],"mappings":[${mappings.slice(0, -1)}]}`),
        numbered(40_000, one),
      );
    },
    /./,
  ],
  'a long name in every row': [
    () => {
      const mapping = `["1000","ffffffff000","rw-p","${'x'.repeat(MIB / 4)}"]`;
      const regions = numbered(
        10_000,
        (n) => `["${(n + 1).toString(16)}000","${(n + 2).toString(16)}000",1,1],`,
      );
      return (
        header +
        target.replace(']}', `],"mappings":[${mapping}]}`) +
        snapshot.replace('[]', `[${regions.slice(0, -1)}]`)
      );
    },
    /expand to more than/,
  ],
  'a snapshot of 200,000 regions, compressed': [
    () => packed(begin, credit, snapshot.replace('[]', `[${Array(200_000).fill('["1000","2000",1,2]')}]`)),
  ],
  'a snapshot of 30 MiB, compressed': [
    () => packed(begin, credit, largeSnapshot(30 * MIB)),
    /skipped 1 damaged line: 4/,
  ],
  'a snapshot of 30 MiB with spaces, compressed': [
    () => packed(begin, credit, largeSnapshot(30 * MIB, ' ["1000", "2000", 1, 2]')),
    /./,
  ],
  'a line of empty objects, compressed': [
    () => packed(begin, credit, `{"type":"snapshot","x":[${'{},'.repeat(10 * MIB)}{}]}\n`),
    /skipped 1 damaged line: 4/,
  ],
  'a line of empty lists, compressed': [
    () => packed(begin, credit, `{"type":"x","x":[${'[],'.repeat(600_000)}[]]}\n`.repeat(5)),
  ],
  'lines of objects with names of their own': [
    () =>
      packed(begin, credit, `{"type":"x","x":[${numbered(290_000, (n) => `{"k${n}":1},`)}{}]}\n`.repeat(4)),
    /skipped 4 damaged lines: 4, 5, 6, 7/,
  ],
  'a line nested deep': [
    () => `${begin}{"type":"x","x":${'['.repeat(MIB / 2)}${']'.repeat(MIB / 2)}}\n`,
    /damaged line: 3/,
  ],
  'a known line with a field nested deep': [
    () => begin + snapshot.replace('[]', `[],"x":${'['.repeat(200_000)}${']'.repeat(200_000)}`),
    /damaged line: 3/,
  ],
  'a long number': [
    () => begin + snapshot.replace('"endUs":1', `"endUs":${'1'.repeat(MIB)}`),
    /damaged line: 3/,
  ],
  'a long string': [() => begin + snapshot.replace('[]', `[],"x":"${'x'.repeat(MIB)}"`)],
  'a field called __proto__': [
    () =>
      begin +
      snapshot.replace('[]', '[],"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}'),
  ],
};

/** Harmful damo files. */
export const LISTS_OF_DAMO: typeof RECORDS = {
  'zeros, compressed': [
    () => deflateSync(Buffer.concat([Buffer.from('[{"x":"'), Buffer.alloc(500 * MIB)])),
    /./,
  ],
  'nested deep': [() => '['.repeat(MIB), /nested more than 64 deep at byte 64/],
  'objects nested deep': [() => `[${'{"a":'.repeat(MIB / 5)}`, /nested more than 64 deep/],
  'a long string': [() => `[{"snapshots":[{"start_time":"${'1'.repeat(MIB)}"}]}]`, /snapshot 1|not a number/],
  'a long string, compressed': [() => packed('[{"snapshots":["', '1'.repeat(70 * MIB), '"]}]'), /./],
  'a long number': [
    () => `[{"snapshots":[{"start_time":${'1'.repeat(MIB)}}]}]`,
    /a number of more than 64 characters at byte/,
  ],
  'a long string of escapes': [() => `[{"snapshots":["${'\\u0041'.repeat(MIB / 6)}"]}]`, /./],
  'many values, compressed': [
    () => packed(`[{"snapshots":[[${'1,'.repeat(20 * MIB)}1]]}]`),
    /more than 2097152 values/,
  ],
  'objects with names of their own': [
    () => packed(`[{"snapshots":[{"x":[${numbered(290_000, (n) => `{"k${n}":1},`)}{}]}]}]`),
    /./,
  ],
  'many entries': [
    () => `[${'{"target_id":0},'.repeat(MIB / 17)}{}]`,
    /more than \d+ entries|no DAMON snapshots/,
  ],
  'many entries, compressed': [
    () => packed(`[${'{"target_id":0},'.repeat(4 * MIB)}{}]`),
    /more than 65536 entries|expand to more/,
  ],
  'an entry for each snapshot': [
    () =>
      packed(
        `[${numbered(60_000, (n) => `{"target_id":${n},"snapshots":[{"start_time":${60_000 - n},"end_time":60000,"regions":[]}]},`)}{}]`,
      ),
    /./,
  ],
  'a snapshot of many regions, compressed': [
    () =>
      packed(
        `[{"snapshots":[{"start_time":1,"end_time":1000,"regions":[${Array(75_000).fill('{"start":4096,"end":8192,"nr_accesses":{"samples":1,"percent":null},"age":{"usec":null,"aggr_intervals":1}}')}]}]}]`,
      ),
    /more than 2097152 values/,
  ],
};

/** Harmful CSV. */
export const TABLES: typeof RECORDS = {
  'one open quote': [() => `${RECORD_COLUMNS}\n"${'x'.repeat(MIB)}`, /./],
  'one open quote, compressed': [
    () => packed(`${RECORD_COLUMNS}\n"`, 'x'.repeat(100 * MIB)),
    /more than 33554432 bytes|expand to more/,
  ],
  'an open quote with line feeds, compressed': [
    () => packed(`${RECORD_COLUMNS}\n"`, 'x\n'.repeat(40 * MIB)),
    /more than/,
  ],
  'a million columns': [
    () => `${RECORD_COLUMNS}${',a'.repeat(MIB / 2)}\n`,
    /line 1 has more than 1000 fields/,
  ],
  'a row of commas': [() => `${RECORD_COLUMNS}\n${','.repeat(MIB)}\n`, /line 2 has more than 1000 fields/],
  'empty rows': [() => `${RECORD_COLUMNS}\n${'\n'.repeat(MIB)}`, /./],
  'a snapshot of a million regions, compressed': [
    () =>
      packed(
        `${RECORD_COLUMNS}\n0,0,1,20,4096,8192,1,1,"${(header + target).trim().replace('\n', ',').replaceAll('"', '""')}"\n`,
        '0,0,1,20,4096,8192,1,1,\n'.repeat(2 * MIB),
      ),
    /./,
  ],
  'a sidecar nested deep': [
    () => `${RECORD_COLUMNS}\n0,0,1,20,4096,8192,1,1,"{""before"":${'['.repeat(500_000)}"\n`,
    /nested more than 64 deep/,
  ],
  'rows without valid numbers': [
    () => `${RECORD_COLUMNS}\n${'0,1e999,1,20,4096,8192,1,1,\n'.repeat(10)}`,
    /row 1: 1e999 is not a count/,
  ],
  'misplaced quotes': [() => `${RECORD_COLUMNS}\n${'a"b",'.repeat(MIB / 5)}\n`, /./],
};
