import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type SnapshotLine, snapshotLine } from '../../src/record/format.js';
import { begin, linesOf, run } from '../helpers/cli.js';
import { folderFor } from '../helpers/fixtures.js';
import { start } from '../helpers/processes.js';
import { HEADER, STATS, snapshotOf, TARGET } from '../helpers/records.js';

// Five levels of page tables: addresses up to 2^57, of which a float64 holds those at which a page begins.

const [START, END] = ['1fefffffffff000', '1ff000000004000'];

function record(t: ExecutionContext): string {
  const path = join(folderFor(t), 'it.ndjson');
  const rows = [[Number.parseInt(START, 16) / 4096, Number.parseInt(END, 16) / 4096, 20, 3]] as const;
  const lines = [
    JSON.stringify({ type: 'header', version: 1, ...HEADER, seed: 7 }),
    JSON.stringify({ type: 'target', ...TARGET, mappings: [[START, END, 'rw-p', 'far']] }),
    snapshotLine(snapshotOf(rows as never)),
    JSON.stringify({ type: 'end', reason: 'stopped', stats: STATS }),
  ];
  writeFileSync(path, lines.map((line) => `${line.trimEnd()}\n`).join(''));
  return path;
}

test.serial('reports on a record show them whole, and take them', async (t) => {
  const path = record(t);
  for (const kind of ['raw', 'access']) {
    const { out, err } = await run(t, 'report', kind, path);
    t.true(out.includes(START), err || out);
  }
  const at = async (...bounds: string[]) =>
    JSON.parse((await run(t, 'report', 'access', path, '--json', '--address', ...bounds)).out).sources[0]
      .regions.length;
  t.is(await at(`${START}..${START}`), 1);
  t.is(await at(`1feffffffffefff..${START}`), 1);
  t.is(await at('1fefffffffff001..'), 0);
  t.is(await at('..1feffffffffefff'), 0);
});

test.serial('a heat map of such a range has it to the page', async (t) => {
  const { out, err } = await run(
    t,
    'report',
    'heatmap',
    record(t),
    '--json',
    '--range',
    '0x1feffffffffe800-1ff000000000001',
  );
  const [range] = JSON.parse(out || '{}').sources?.[0].processes[0].ranges ?? [];
  t.is(range?.addresses[0], '1feffffffffe000', err);
  t.is(range?.addresses.at(-1), '1ff000000001000', err);
});

test.serial('a process is watched in such a range, widened to whole pages', async (t) => {
  const path = join(folderFor(t), 'it.ndjson');
  const { pid } = start(t, 'sleep', ['60']);
  const { outcome } = begin(t, [
    ...['record', '-o', path, '--pid', String(pid), '--check', 'referenced'],
    ...['--sample', '10ms', '--aggr', '50ms', '--duration', '400ms'],
    ...['--range', '1fefffffffff801-1ff000000003001'],
  ]);
  const { status, err } = await outcome;
  t.is(status, 0, err);
  const { regions } = linesOf(path).find((line): line is SnapshotLine => line.type === 'snapshot')!;
  t.is(regions[0]![0], START);
  t.is(regions.at(-1)![1], END);
});
