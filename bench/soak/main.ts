import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { compileProgram } from '../programs.js';
import { markdown, type Report } from '../report.js';

const WATCH = fileURLToPath(new URL('./watch.js', import.meta.url));
/** Small, as in the monitor's threads: otherwise what V8 leaves uncollected in the caller's thread varies by 30 MiB. */
const YOUNG_GENERATION = ['--max-semi-space-size=2'];
const MINUTES_TO_SETTLE = 5;
const MOST_GROWTH_MIB = 15;

interface Options {
  readonly seconds: number;
  readonly rate: number;
  readonly seed: number;
  readonly runs: number;
  readonly kinds: string;
}

/** What a soaked process is told (watch.ts). */
export interface Soak extends Omit<Options, 'runs'> {
  /** births.c, compiled, and where it may make files. */
  readonly program: string;
  readonly folder: string;
}

interface Spread {
  readonly p99: number;
  readonly most: number;
}

interface OpenThings {
  readonly descriptors: number;
  readonly threads: number;
}

/** What came of it. */
export interface SoakResult {
  readonly check: string;
  readonly seconds: number;
  /** By kind: processes started, and those of them that could not become what they were to be. */
  readonly births: Readonly<Record<string, readonly [started: number, failed: number]>>;
  /** Processes that were watched, and that had ended when they were to be opened. */
  readonly watched: number;
  readonly endedUnopened: number;
  /** CPU of a look at all processes. */
  readonly lookMs: number;
  readonly snapshots: number;
  readonly calls: number;
  /** Calls about a process that had ended, and calls and targets that were lost with a killed sampler. */
  readonly refused: number;
  readonly callsLost: number;
  readonly targetsLost: number;
  /** Targets with too many mappings. */
  readonly tooDear: number;
  readonly kills: number;
  readonly lostSamplers: number;
  readonly cpuPercent: number;
  /** Until a call was answered; and how late the main thread's timers were. */
  readonly waitMs: Spread;
  readonly delayMs: Spread;
  readonly tickMs: number;
  readonly stopMs: number;
  readonly before: OpenThings;
  readonly after: OpenThings;
  /** Medians of each minute. */
  readonly residentMib: readonly number[];
  readonly faults: readonly (readonly [message: string, count: number])[];
}

/**
 * `npm run bench -- soak`: one monitor under hostile births, concurrent calls and killed samplers. Returns whether nothing
 * has failed.
 */
export async function soak(report: Report, args: readonly string[]): Promise<boolean> {
  const { runs, seed: firstSeed, ...options } = optionsOf(args);
  const program = compileProgram('bench/soak/births.c');
  if (program === undefined) throw new Error('the soak needs a C compiler: apt-get install gcc libc6-dev');
  const folder = mkdtempSync(join(tmpdir(), 'pagepulse-soak-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  let isStopped = false;
  let watching: ChildProcess | undefined;
  // The soaked process ends what it has started, and sends what it has measured so far.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      isStopped = true;
      watching?.kill('SIGTERM');
    });
  }
  const results: SoakResult[] = [];
  const failures: string[] = [];
  for (let run = 1; run <= runs && !isStopped; run++) {
    const settings: Soak = { ...options, seed: firstSeed + run - 1, program, folder };
    process.stderr.write(`soak: run ${run} of ${runs}, seed ${settings.seed}\n`);
    watching = fork(WATCH, [JSON.stringify(settings)], { execArgv: YOUNG_GENERATION });
    const result = await resultOf(watching);
    if (typeof result === 'string') failures.push(`run ${run}: ${result}`);
    else {
      results.push(result);
      failures.push(...failuresOf(result).map((failure) => `run ${run}: ${failure}`));
    }
  }
  report.add(
    `${options.rate} births a second, seed ${firstSeed}, check ${results[0]?.check ?? 'unknown'}, kinds ${options.kinds}.`,
  );
  if (results.length > 0) {
    const runNames = results.map((_, i) => `run ${i + 1}`);
    report.add(
      markdown(
        ['', ...runNames],
        ROWS.map(([name, of]) => [name, ...results.map(of)]),
      ),
    );
    report.add(`Births by kind: ${kindsOf(results)}.`);
  }
  report.add(failures.length === 0 ? 'Nothing failed.' : failures.map((each) => `- ${each}`).join('\n'));
  return failures.length === 0;
}

function optionsOf(args: readonly string[]): Options {
  return new Command('bench soak')
    .description('watch hostile short-lived processes, with concurrent calls and killed samplers')
    .option('--seconds <n>', 'duration of a run', parseWhole, 3_600)
    .option('--rate <n>', 'births per second', parseWhole, 60)
    .option('--seed <n>', 'of the first run; each further run adds 1', parseWhole, 1)
    .option('--runs <n>', 'runs, each in a fresh process', parseWhole, 1)
    .option(
      '--kinds <names>',
      'hostile kinds to start, separated by commas: all, none, or names of births.c',
      'all',
    )
    .showSuggestionAfterError(false)
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'bench: ')) })
    .allowExcessArguments(false)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .parse(args, { from: 'user' })
    .opts<Options>();
}

function parseWhole(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Give a positive integer.');
  return Number(text);
}

/** The result, or how the process ended without one. */
async function resultOf(watching: ChildProcess): Promise<SoakResult | string> {
  let result: SoakResult | undefined;
  watching.on('message', (message) => {
    result = message as SoakResult;
  });
  const [code, signal] = await once(watching, 'exit');
  return result ?? `the monitoring process ended with ${signal ?? `status ${code}`}`;
}

function failuresOf(result: SoakResult): string[] {
  const failures = result.faults.map(([message, count]) => `${count} times ${message}`);
  const growthMib = growthOf(result);
  if (growthMib > MOST_GROWTH_MIB) {
    failures.push(`resident memory varies by ${growthMib.toFixed(1)} MiB, more than ${MOST_GROWTH_MIB}`);
  }
  return failures;
}

/** Largest minus smallest median of a minute, after the first minutes; NaN if the run was too short. */
function growthOf({ residentMib }: SoakResult): number {
  const settled = residentMib.slice(MINUTES_TO_SETTLE);
  return settled.length < 2 ? Number.NaN : Math.max(...settled) - Math.min(...settled);
}

const ROWS: readonly (readonly [name: string, of: (result: SoakResult) => string])[] = [
  ['duration', ({ seconds }) => `${seconds.toFixed(0)} s`],
  ['births', ({ births, seconds }) => `${sumOf(births)} (${(sumOf(births) / seconds).toFixed(0)} a second)`],
  ['watched', ({ watched }) => String(watched)],
  ['ended before they could be opened', ({ endedUnopened }) => String(endedUnopened)],
  ['given up for too many mappings', ({ tooDear }) => String(tooDear)],
  ['snapshots', ({ snapshots }) => String(snapshots)],
  ['CPU of the whole process, of a core', ({ cpuPercent }) => `${cpuPercent.toFixed(1)} %`],
  ['CPU of a look at all processes', ({ lookMs }) => `${lookMs.toFixed(1)} ms`],
  [
    'late timers of the main thread: p99, most',
    ({ delayMs: { p99, most } }) => `${p99.toFixed(0)}, ${most.toFixed(0)} ms`,
  ],
  ['calls', ({ calls }) => String(calls)],
  ['calls about an exited process', ({ refused }) => String(refused)],
  [
    'call answered within: p99, most',
    ({ waitMs, tickMs }) => `${inTicks(waitMs.p99, tickMs)}, ${inTicks(waitMs.most, tickMs)}`,
  ],
  ['samplers killed, lost', ({ kills, lostSamplers }) => `${kills}, ${lostSamplers}`],
  [
    'calls and targets lost with a killed sampler',
    ({ callsLost, targetsLost }) => `${callsLost}, ${targetsLost}`,
  ],
  ['stopped in', ({ stopMs }) => `${stopMs.toFixed(0)} ms`],
  ['descriptors: start, end', ({ before, after }) => `${before.descriptors}, ${after.descriptors}`],
  ['threads: start, end', ({ before, after }) => `${before.threads}, ${after.threads}`],
  [
    'resident memory, median of minute 1, 5 and the last',
    ({ residentMib }) => mibOf([residentMib[0], residentMib[4], residentMib.at(-1)]),
  ],
  ['largest minus smallest after minute 5', (result) => mibOf([growthOf(result)])],
  ['kinds of failures', (result) => String(failuresOf(result).length)],
];

function sumOf(births: SoakResult['births']): number {
  return Object.values(births).reduce((sum, [started]) => sum + started, 0);
}

function kindsOf(results: readonly SoakResult[]): string {
  return Object.keys(results[0]!.births)
    .map((kind) => `${kind} ${results.reduce((sum, { births }) => sum + (births[kind]?.[0] ?? 0), 0)}`)
    .join(', ');
}

function inTicks(ms: number, tickMs: number): string {
  return `${ms} ms (${(ms / tickMs).toFixed(1)} ticks)`;
}

function mibOf(values: readonly (number | undefined)[]): string {
  const cells = values.map((value) =>
    value !== undefined && Number.isFinite(value) ? value.toFixed(1) : '-',
  );
  return `${cells.join(', ')} MiB`;
}
