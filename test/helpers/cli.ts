import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import type { RecordLine } from '../../src/record/format.js';

export const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface Outcome {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

export function begin(
  t: ExecutionContext,
  args: readonly string[],
): { child: ChildProcess; outcome: Promise<Outcome> } {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  let [out, err] = ['', ''];
  child.stdout!.on('data', (data) => {
    out += data;
  });
  child.stderr!.on('data', (data) => {
    err += data;
  });
  return { child, outcome: once(child, 'close').then(([status]) => ({ status, out, err })) };
}

export const run = (t: ExecutionContext, ...args: string[]) => begin(t, args).outcome;

export function linesOf(path: string): RecordLine[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** One line, no stack trace, that begins as every message does. */
export function isOneLine(t: ExecutionContext, { err }: Outcome, pattern: RegExp): void {
  t.regex(err, /^pagepulse: [^\n]+\n$/);
  t.regex(err, pattern);
}
