import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import type { TargetLine } from '../../src/record/format.js';
import { begin, linesOf } from '../helpers/cli.js';
import { folderFor } from '../helpers/fixtures.js';
import { startThreaded } from '../helpers/memory-programs.js';

const QUICK = ['--check', 'referenced', '--sample', '50ms', '--aggr', '200ms'];

function snapshotsIn(path: string): number {
  return existsSync(path) ? readFileSync(path, 'utf8').split('"type":"snapshot"').length - 1 : 0;
}

for (const when of ['before it is watched', 'while it is watched'] as const) {
  for (const by of ['pid', 'name'] as const) {
    test.serial(`a process whose main thread ends ${when} is recorded by its ${by}`, async (t) => {
      const path = join(folderFor(t), 'it.ndjson');
      const tag = path.split('/').at(-2)!;
      const program = await startThreaded(t, tag);
      if (!program) return;
      if (when === 'before it is watched') await program.endMainThread();
      const which = by === 'pid' ? ['--pid', String(program.pid)] : ['--name', tag];
      const { child, outcome } = begin(t, ['record', '-o', path, ...QUICK, ...which]);
      const recorded = async (count: number) => {
        while (child.exitCode === null && snapshotsIn(path) < count) await pause(20);
      };
      await recorded(1);
      if (when === 'while it is watched') await program.endMainThread();
      await recorded(snapshotsIn(path) + 6);
      child.kill('SIGINT');
      const { status, err } = await outcome;
      t.is(status, 0, err);
      const lines = linesOf(path);
      t.is((lines.at(-1) as { reason: string }).reason, 'stopped', err);
      const target = lines.find((line): line is TargetLine => line.type === 'target')!;
      t.is(target.cmdline.at(-1), tag);
      t.true(target.residentBytes! >= 48 * 2 ** 20, `${target.residentBytes} bytes resident`);
    });
  }
}
