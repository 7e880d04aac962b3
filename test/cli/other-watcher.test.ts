import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { begin, linesOf, run } from '../helpers/cli.js';
import { folderFor } from '../helpers/fixtures.js';
import { start } from '../helpers/processes.js';

test('the second recorder of a process is warned, its record says so, and so do reports of it', async (t) => {
  const { pid } = start(t, 'sleep', ['60']);
  const record = (name: string, duration: string) => {
    const path = join(folderFor(t), name);
    const args = ['record', '--pid', String(pid), '--check', 'referenced', '--aggr', '500ms'];
    return { path, ...begin(t, [...args, '-d', duration, '-o', path]) };
  };
  const first = record('first.ndjson', '30s');
  while (!hasSnapshot(first.path)) await pause(100);
  const second = record('second.ndjson', '3s');
  const { status, err } = await second.outcome;
  t.is(status, 0, err);
  const sentence = `process ${first.child.pid} \\(.*\\) also watches process ${pid}: each clears accesses`;
  t.regex(err, new RegExp(`^pagepulse: ${sentence}.*stop one of them$`, 'm'));
  t.like(
    linesOf(second.path).find(({ type }) => type === 'otherWatcher'),
    { pid: first.child.pid, targets: [pid] },
  );
  const report = await run(t, 'report', 'wss', second.path);
  t.regex(report.out + report.err, new RegExp(sentence));
  const converted = join(folderFor(t), 'copy.csv');
  t.is((await run(t, 'convert', second.path, '--to', 'csv', '-o', converted)).status, 0);
});

/** Its last line may be being written. */
function hasSnapshot(path: string): boolean {
  return existsSync(path) && readFileSync(path, 'utf8').includes('snapshot');
}
