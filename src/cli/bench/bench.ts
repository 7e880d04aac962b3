import { constants } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { formatDuration } from '../../report/units.js';
import { SOURCES } from '../../sources/registry.js';
import { RECLAIM_NOTE } from '../notes.js';
import { parseDuration, parsePids } from '../options.js';
import { ExitStatus, note, StatusLine, write, writeJson } from '../output.js';
import { Stopping } from '../signals.js';
import { Benchmark, MIN_TIME_US } from './benchmark.js';
import { renderCosts } from './cost-report.js';
import type { MeasuredCheck } from './result.js';

interface CommandOptions {
  readonly pid?: number;
  readonly time: number;
  readonly check: MeasuredCheck | 'auto';
  readonly json?: boolean;
}

export function define(command: Command): void {
  command
    .option('-p, --pid <pid>', 'process to measure on (default: a workload of 600 MiB)', parsePid)
    .addOption(
      new Option('-t, --time <time>', 'time limit, 15s to 1h').argParser(parseTime).default(30e6, '30s'),
    )
    .addOption(
      new Option('--check <check>', 'access check; `pagepulse doctor` lists those supported')
        .choices(['auto', 'idle-page', 'referenced'])
        .default('auto'),
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  pagepulse bench\n  pagepulse bench --pid 4242 --time 1m --json')
    .action(bench);
}

/** Exits with 1 if the process exits before everything is measured, and with 130 after Ctrl-C, without figures. */
async function bench({ pid, time, check, json }: CommandOptions): Promise<void> {
  const stopped = new AbortController();
  let signalNumber = 0;
  new Stopping().with((signal) => {
    signalNumber = constants.signals[signal];
    stopped.abort();
  });
  const progress = new StatusLine();
  const benchmark = new Benchmark({
    ...(pid !== undefined && { pid }),
    check,
    timeUs: time,
    signal: stopped.signal,
    onProgress: (what) => progress.show(what),
  });
  note(`measuring for up to ${formatDuration(time)}; Ctrl-C ends it`);
  if (pid !== undefined && SOURCES[benchmark.check].disturbsReclaim) note(RECLAIM_NOTE);
  try {
    const result = await benchmark.run();
    progress.clear();
    if (json) writeJson(result, rounded, 2);
    else write(renderCosts(result));
    if (!result.targetEnded) return;
    note(`process ${pid} exited during the benchmark; the figures are those measured before`);
    throw new ExitStatus(1);
  } catch (error) {
    progress.clear();
    if (stopped.signal.aborted) throw new ExitStatus(128 + signalNumber);
    throw error;
  }
}

/** For writeJson: three decimals, because nothing here is measured to the nanosecond. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1_000) / 1_000 : value;
}

function parsePid(text: string, before: number | undefined): number {
  if (before !== undefined) throw new InvalidArgumentError('Give only one process.');
  return parsePids(text)[0]!;
}

function parseTime(text: string): number {
  const us = parseDuration(text);
  if (us < MIN_TIME_US || us > 3_600e6) throw new InvalidArgumentError('Give 15s to 1h.');
  return us;
}
