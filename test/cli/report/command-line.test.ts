import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { begin, isOneLine, run } from '../../helpers/cli.js';
import { folderFor } from '../../helpers/fixtures.js';
import { MOVING } from '../../helpers/moving.js';

const report = (t: ExecutionContext, ...args: string[]) => run(t, 'report', ...args);
const text = gunzipSync(readFileSync(MOVING)).toString();

function file(t: ExecutionContext, content: string, name = 'it.ndjson'): string {
  const path = join(folderFor(t), name);
  writeFileSync(path, content);
  return path;
}

for (const [what, args, pattern] of [
  ['a range without an end', ['heatmap', '--range', '7f00'], /two addresses in hex/],
  ['a range that ends before it begins', ['heatmap', '--range', '7f00-7e00'], /The range 7f00-7e00 is empty/],
  ['a time without a unit', ['heatmap', '--time', '5-10'], /is not a duration/],
  ['a time that ends before it begins', ['heatmap', '--time', '10s-5s'], /ends before it starts/],
  ['a size that is no picture', ['heatmap', '--size', '10x10'], /width and height in pixels/],
  ['a share beyond all', ['wss', '--min-access', '101%'], /from 0% to 100%, as in 5%/],
  ['a share without %', ['wss', '--min-access', '5'], /as in 5%/],
  ['a step of nothing', ['wss', '--step', '0s'], /is not a duration/],
  ['rows of nothing', ['wss', '--limit', '0'], /positive integer/],
  ['no such order', ['access', '--sort', 'colour'], /Allowed choices are .*access.*age/],
  ['one size', ['access', '--size', '1MiB'], /two bounds, one of which may be left out, as in 1MiB\.\./],
  ['sizes the wrong way round', ['access', '--size', '2MiB..1MiB'], /exchange them/],
  ['no share', ['access', '--access', 'hot..'], /from 0% to 100%/],
  ['no age', ['access', '--age', 'old..'], /is not a duration/],
  ['no address', ['access', '--address', 'xyz..'], /An address is up to 16 hex digits/],
  ['no pattern', ['access', '--mapping', '('], /put a \\ before/],
  ['a moment within a stretch', ['access', '--at', '5s', '--to', '9s'], /give one or the other/],
  ['a stretch that ends before it begins', ['raw', '--from', '9s', '--to', '5s'], /exchange them/],
  ['warm above hot', ['mappings', '--hot', '10%', '--min-access', '20%'], /--min-access is above --hot/],
  ['no such grouping', ['mappings', '--by', 'owner'], /Allowed choices are/],
  ['an interval', ['mappings', '--sample', '5ms'], /--sample only applies to live monitoring/],
  ['standard input twice', ['wss', '-', '-'], /give - once/],
  ['a command beside a record', ['wss', '--', 'true'], /a recording and a command cannot be combined/],
  ['one record to compare', ['diff'], /missing required argument 'after'/],
] as const) {
  test(`${what} is a mistake, and is said in one line: report ${args.join(' ')}`, async (t) => {
    const [kind, ...options] = args;
    const outcome = await report(t, kind, MOVING, ...options);
    t.is(outcome.status, 2, outcome.err);
    isOneLine(t, outcome, pattern);
    t.is(outcome.out, '');
  });
}

test('what is no record that can be read is said in one line, before anything is told of others', async (t) => {
  const here = folderFor(t);
  mkdirSync(join(here, 'folder'));
  const future = file(
    t,
    text.replace('"version":1', '"version":2').replace('"type":"header"', '"type":"begin"'),
  );
  const cases: [string, RegExp][] = [
    [join(here, 'none.ndjson'), /no such file; check the name/],
    [join(here, 'folder'), /it is a directory; give a file/],
    [file(t, 'hello\n'), /is text in an unknown format; use a Pagepulse record/],
    [file(t, ''), /is empty; record again/],
    [file(t, text.slice(0, 60)), /ends within its header/],
    [future, /is JSON, but its first line is not a record header/],
  ];
  for (const kind of ['wss', 'raw']) {
    for (const [path, pattern] of kind === 'wss' ? cases : cases.slice(0, 1)) {
      const outcome = await report(t, kind, MOVING, path);
      t.deepEqual([outcome.status, outcome.out], [1, ''], path);
      isOneLine(t, outcome, pattern);
    }
  }
});

test('several records are reported on one after the other', async (t) => {
  const { status, out, err } = await report(t, 'wss', '--json', MOVING, MOVING);
  t.deepEqual([status, err], [0, '']);
  const [first, second, ...none] = JSON.parse(out).sources;
  t.deepEqual([first, none], [second, []]);
  const both = await report(t, 'mappings', MOVING, MOVING);
  t.is(both.out.split('\ntotal ').length, 3);
});

test('where nothing was recorded in a stretch of time, that is told', async (t) => {
  for (const kind of ['wss', 'access', 'mappings']) {
    const { status, out, err } = await report(t, kind, '--from', '10m', MOVING);
    t.deepEqual([status, err], [0, '']);
    t.regex(out, /\nNo snapshots, or none in this time/);
  }
  t.deepEqual(await report(t, 'raw', '--from', '10m', MOVING), { status: 0, out: '', err: '' });
  const map = await report(t, 'heatmap', '--time', '10m-', MOVING);
  t.is(map.status, 1);
  isOneLine(t, map, /nothing to show/);
});

test('a record that was cut off is reported on as far as it goes, and the line is named', async (t) => {
  const lines = text.split('\n');
  const cut = file(t, `${lines.slice(0, 30).join('\n')}\n${lines[30]!.slice(0, 50)}`);
  for (const kind of ['wss', 'access', 'mappings', 'heatmap', 'raw']) {
    const outcome = await report(t, kind, cut);
    t.is(outcome.status, 0);
    isOneLine(t, outcome, /it breaks off after line 30, without an end/);
    t.true(outcome.out.length > 100);
  }
  const damaged = file(t, text.replace(lines[10]!, lines[10]!.slice(0, 80)));
  const { status, err } = await report(t, 'wss', damaged);
  t.is(status, 0);
  t.regex(err, /damaged line: 11/);
});

test('a record of a later version is read as far as it is understood, and that is said', async (t) => {
  const later = file(
    t,
    text.replace('"version":1', '"version":2,"mood":"fine"').replace('\n', '\n{"type":"weather"}\n'),
  );
  const { status, out, err } = await report(t, 'wss', later);
  t.is(status, 0);
  t.regex(out, /\n77 moving +/);
  t.regex(err, /^pagepulse: [^\n]*version 2[^\n]*\n$/);
});

test('a command that it starts is watched and reported on, and its status is the status', async (t) => {
  const watched = ['--sample', '10ms', '--aggr', '50ms', '--', 'sleep', '100'];
  const { child, outcome } = begin(t, ['report', 'raw', '--json', ...watched]);
  await once(child.stdout!, 'data'); // the first snapshot, however long that takes
  child.kill('SIGTERM');
  const { status, out, err } = await outcome;
  t.is(status, 128 + 15, err);
  t.like(JSON.parse(out.split('\n')[0]!), { type: 'snapshot', comm: 'sleep' });
  t.regex(err, /watching until the command ends/);
});
