import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { headerLine, snapshotLine, targetLine } from '../../../src/record/format.js';
import { isOneLine, run } from '../../helpers/cli.js';
import { folderFor } from '../../helpers/fixtures.js';
import { HEADER } from '../../helpers/records.js';
import { snapshotOf } from '../../helpers/snapshots.js';
import { snapshotsOf } from './examples.js';

function recordIn(path: string): string {
  const snapshots = snapshotsOf([[[0x1000, 0x1100, 20, 0]], [[0x1000, 0x1100, 0, 0]]]);
  const lines = [headerLine(HEADER), targetLine(snapshots[0]!.target), ...snapshots.map(snapshotLine)];
  const record = join(path, 'it.ndjson');
  writeFileSync(record, `${lines.join('\n')}\n{"type":"end","reason":"stopped","stats":{}}\n`);
  return record;
}

function heatmap(t: ExecutionContext, ...args: string[]) {
  return run(t, 'report', 'heatmap', ...args);
}

test('a record becomes text in a pipe, plain data with --json, and a part of its time with --time', async (t) => {
  const record = recordIn(folderFor(t));
  const text = await heatmap(t, record);
  t.is(text.err, '');
  t.regex(text.out, /\n {5}1000000 9+5?\.+\n/);
  const { sources } = JSON.parse((await heatmap(t, record, '--json', '--time', '0s-150ms')).out);
  const [{ times, ranges }] = sources[0].processes;
  t.deepEqual(times, [
    [0, 100_000],
    [100_000, 150_000],
  ]);
  t.deepEqual([ranges[0].shares[0][0], ranges[0].shares[1][0]], [1, 0]);
});

test('a picture is its owner’s alone, and is overwritten with --force alone', async (t) => {
  const path = folderFor(t);
  const record = recordIn(path);
  const html = join(path, 'heat.html');
  t.is((await heatmap(t, record, '-o', html)).status, 0);
  t.is(statSync(html).mode & 0o777, 0o600);
  t.true(readFileSync(html, 'utf8').startsWith('<!doctype html>'));
  const again = await heatmap(t, record, '-o', html);
  t.is(again.status, 1);
  isOneLine(t, again, /cannot write the picture to .*heat\.html: it already exists/);
  t.is((await heatmap(t, record, '-o', html, '--force')).status, 0);
});

test('of a process of which nothing is known there is no picture, but the reason and what helps', async (t) => {
  const sparse = snapshotOf({
    rows: [[2 ** 32, 2 ** 33, 0, 0]],
    memory: { resident: [0] },
    residentBytes: 2 ** 25,
  });
  const record = join(folderFor(t), 'sparse.ndjson');
  writeFileSync(
    record,
    `${[headerLine(HEADER), targetLine(sparse.target), snapshotLine(sparse)].join('\n')}\n`,
  );
  const { status, out, err } = await heatmap(t, record);
  t.is(status, 1);
  t.is(out, '');
  t.regex(err, /nothing is known of process 4242 postgres: 0\.0002 % of the 16 TiB watched is resident/);
  t.regex(err, /Try --cover mapped, or --check referenced/);
});

test('what cannot be is said in one line, and leaves no file behind', async (t) => {
  const path = folderFor(t);
  const record = recordIn(path);
  const cases: [string[], number, RegExp][] = [
    [[record, '-o', join(path, 'x.gif')], 2, /ends in \.svg, \.png or \.html/],
    [[record, record, '-o', join(path, 'x.svg')], 2, /one picture of one record/],
    [[record, '--time', '5s'], 2, /10s-1m/],
    [[record, '--range', 'warm'], 2, /hottest, all, or two addresses/],
    [[record, '-o', join(path, 'x.svg'), '--time', '10s-'], 1, /nothing to show/],
    [
      [
        record,
        '-o',
        join(path, 'x.svg'),
        '--size',
        '700x300',
        '--range',
        '0-1000',
        '--range',
        '2000-3000',
        '--range',
        '4000-5000',
      ],
      2,
      /needs \d+ pixels of height/,
    ],
    [[join(path, 'none'), '-o', join(path, 'x.svg')], 1, /no such file/],
  ];
  for (const [args, status, pattern] of cases) {
    const outcome = await heatmap(t, ...args);
    t.is(outcome.status, status, outcome.err);
    isOneLine(t, outcome, pattern);
  }
  t.false(existsSync(join(path, 'x.svg')));
  t.deepEqual(readdirSync(path), ['it.ndjson']);
});
