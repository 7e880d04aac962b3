import { availableParallelism } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { ADAPTATIONS, type AdaptationName } from '../core/adaptation.js';
import { ATTRS_RULES, DEFAULT_ATTRS } from '../core/attrs.js';
import { DEFAULT_ADAPTATION } from '../core/create-adaptation.js';
import { integerIn, type Rule } from '../core/rules.js';
import { DEFAULT_GOAL, GOAL_RULES, type TuningGoal } from '../core/tuning.js';
import { MAX_SAMPLERS, type MonitorOptions } from '../engine/options.js';
import { type AddressRange, pagesOf } from '../processes/process-request.js';
import { Choice, type Selection } from '../processes/selection.js';
import { durationOption, parseDurationUs, UnitError } from '../report/units.js';
import { COVERS, type CoverName } from '../sources/source.js';
import { UsageError } from './output.js';

/** The options of all commands that watch processes. Times in microseconds. */
export interface WatchOptions {
  readonly pid?: readonly number[];
  readonly name?: readonly RegExp[];
  readonly user?: readonly string[];
  readonly cgroup?: readonly string[];
  readonly container?: readonly string[];
  readonly children?: boolean;
  readonly exclude?: readonly RegExp[];
  readonly maxTargets?: number;
  readonly range?: readonly AddressRange[];
  readonly duration?: number;
  readonly sample?: number;
  readonly aggr?: number;
  readonly update?: number;
  readonly auto?: boolean;
  readonly accessBp?: number;
  readonly aggrs?: number;
  readonly minSample?: number;
  readonly maxSample?: number;
  readonly maxCpu?: number;
  readonly minRegions?: number;
  readonly maxRegions?: number;
  readonly maxSamples?: number;
  readonly check: 'idle-page' | 'referenced' | 'auto';
  readonly cover?: CoverName;
  readonly adaptation: AdaptationName;
  readonly workers?: number | 'per-target';
  readonly seed?: number;
}

/** Adds the options of WatchOptions, and a command to start. */
export function addWatchOptions(command: Command): Command {
  command.argument('[command...]', 'after --, a command to start and watch with every process it starts');
  return addMonitorOptions(command);
}

/** The same without the command. */
export function addMonitorOptions(command: Command): Command {
  return command
    .option('-p, --pid <pid>', 'watch this process (repeatable, as the next four)', parsePids)
    .option('--name <regex>', 'watch processes whose name or command line matches', parsePatterns)
    .option('--user <user>', 'watch processes of this user, by name or UID', parseTexts)
    .option('--cgroup <path>', 'watch processes in this cgroup and below it', parseTexts)
    .option('--container <id>', 'watch processes in this container, by ID prefix', parseTexts)
    .option('--children', 'watch all their descendants too (default for a command)')
    .option('--exclude <regex>', 'skip processes whose name or command line matches', parsePatterns)
    .option('--max-targets <n>', 'watch at most N processes at once', parseCount)
    .option(
      '--range <start-end>',
      'watch only these addresses, hex as in /proc/PID/maps (up to 100)',
      parseRanges,
    )
    .option('-d, --duration <time>', 'stop after this time', parseDuration)
    .option('--sample <time>', 'sampling interval: check one page of each region (default: --auto)', interval)
    .option('--aggr <time>', 'aggregation interval: make a snapshot (default: 20 times --sample)', interval)
    .option('--auto', 'tune both intervals while running (default unless one is set)')
    .option('--access-bp <n>', '--auto: accesses to see per 10,000 possible ones (default: 400)', accessBp)
    .option('--aggrs <n>', '--auto: snapshots per step (default: 3)', within(GOAL_RULES.aggrs))
    .option('--min-sample <time>', '--auto: shortest sampling interval (default: 5ms)', bound)
    .option('--max-sample <time>', '--auto: longest sampling interval (default: 10s)', bound)
    .option(
      '--max-cpu <share>',
      'CPU budget, in % of one core: lengthens intervals, then drops regions (default: 2% unless an interval is set)',
      parseBudget,
    )
    .option('--update <time>', 'read the mappings again this often (default: 1s)', interval)
    .option('--min-regions <n>', 'fewest regions per process (default: 10)', regions)
    .option('--max-regions <n>', 'most regions over all processes (default: 1000)', regions)
    .option('--max-samples <n>', 'most samples per second over all processes (evidence only)', samples)
    .addOption(
      new Option('--check <check>', 'how to detect accesses; `pagepulse doctor` lists what works here')
        .choices(['auto', 'idle-page', 'referenced'])
        .default('auto'),
    )
    .addOption(
      new Option(
        '--cover <name>',
        "where regions lie: over all mapped memory, or in DAMON's three ranges (default: three-ranges)",
      ).choices(COVERS),
    )
    .addOption(
      new Option('--adaptation <name>', "how regions adapt: by the kernel's method, or by evidence")
        .choices(ADAPTATIONS)
        .default(DEFAULT_ADAPTATION),
    )
    .option('--workers <n>', 'sampler threads, or per-target (default: one per processor)', parseWorkers)
    .option('--seed <n>', 'seed of all random choices', within(SEED));
}

/** The monitor that these options ask for, without its targets. */
export function monitorOptions(options: WatchOptions): MonitorOptions {
  const { sample: sampleUs, aggr: aggrUs, update: updateUs, minRegions, maxRegions, maxSamples } = options;
  const { duration: durationUs, maxCpu: maxCpuPercent, check, cover, adaptation, workers, seed } = options;
  const attrs = { sampleUs, aggrUs, updateUs, minRegions, maxRegions, maxSamplesPerSecond: maxSamples };
  const goal = goalOf(options);
  const auto = options.auto || Object.keys(goal).length > 0 ? goal : undefined;
  return {
    attrs: given(attrs),
    costOf: 'process',
    check,
    adaptation,
    ...given({ auto, maxCpuPercent, cover, workers, seed, durationUs }),
  };
}

/** The goal of `--auto`, as far as it was given. */
export function goalOf({ accessBp, aggrs, minSample, maxSample }: WatchOptions): Partial<TuningGoal> {
  return given({ accessBp, aggrs, minSampleUs: minSample, maxSampleUs: maxSample });
}

/** The selection that these options ask for. */
export function selectionOf(options: WatchOptions): Selection {
  const { pid: pids, name: names, user: users, cgroup: cgroups, container: containers } = options;
  const { children, exclude, maxTargets } = options;
  return given({ pids, names, users, cgroups, containers, children, exclude, maxTargets });
}

/** Adds examples to a command's help. */
export function withExamples(command: Command, ...examples: readonly string[]): Command {
  const title = examples.length === 1 ? 'Example' : 'Examples';
  return command.addHelpText(
    'after',
    `\n${title}:\n${examples.map((each) => `  pagepulse ${each}`).join('\n')}`,
  );
}

/** Without members that are undefined. */
function given<T extends object>(members: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}

/** Whether processes are searched for, rather than named. */
export function hasFilters({ name, user, cgroup, container }: WatchOptions): boolean {
  return [name, user, cgroup, container].some((kind) => kind !== undefined);
}

/**
 * Checks options against each other, before a command is started in vain.
 *
 * @throws UsageError; PagepulseError `ATTRS`
 */
export function requireTargets(options: WatchOptions, command: readonly string[], example: string): void {
  const { pid = [], range } = options;
  const processes = pid.length + (command.length > 0 ? 1 : 0);
  if (range && (processes > 1 || hasFilters(options) || options.children))
    throw new UsageError(
      '--range needs exactly one process, by --pid or as a command; watch others separately',
    );
  if (range) pagesOf(range);
  if (hasFilters(options)) new Choice(selectionOf(options));
  requireConsistent(options);
  if (processes > 0 || hasFilters(options)) return;
  throw new UsageError(
    'nothing to watch: give --pid PID, --name, --user, --cgroup or --container, or a command after --, as in ' +
      `\`${example}\``,
  );
}

function requireConsistent(options: WatchOptions): void {
  const { sample, aggr, adaptation, maxSamples } = options;
  const { minRegions = DEFAULT_ATTRS.minRegions, maxRegions = DEFAULT_ATTRS.maxRegions } = options;
  const { minSample = DEFAULT_GOAL.minSampleUs, maxSample = DEFAULT_GOAL.maxSampleUs } = options;
  const pairs = [
    ['--sample', sample, '--aggr', aggr, durationOption],
    ['--min-sample', minSample, '--max-sample', maxSample, durationOption],
    ['--min-regions', minRegions, '--max-regions', maxRegions, String],
  ] as const;
  for (const [low, least, high, most, text] of pairs) {
    if (least === undefined || most === undefined || least <= most) continue;
    throw new UsageError(
      `${high} (${text(most)}) is below ${low} (${text(least)}); raise ${high} or lower ${low}`,
    );
  }
  if (maxSamples !== undefined && adaptation !== 'evidence') {
    throw new UsageError(
      `--max-samples needs --adaptation evidence: with ${adaptation}, every region is sampled once per sampling ` +
        'interval; to sample less, lower --max-regions or lengthen --sample',
    );
  }
}

// Parsers of single values. Commander puts the option and what was typed before their messages. The library would refuse
// values by its own names, so its rules are applied here.

const SEED = integerIn(0, 2 ** 32 - 1, 'an integer from 0 to 4294967295');
const WORKERS = integerIn(1, MAX_SAMPLERS, `an integer from 1 to ${MAX_SAMPLERS}, or per-target`);
const interval = within(ATTRS_RULES.sampleUs, parseDuration);
const bound = within(GOAL_RULES.minSampleUs, parseDuration);
const accessBp = within(GOAL_RULES.accessBp);
const regions = within(ATTRS_RULES.maxRegions);
const samples = within(ATTRS_RULES.maxSamplesPerSecond);

export function parsePids(text: string, before: readonly number[] = []): number[] {
  const pid = Number(text);
  if (!/^\d+$/.test(text) || pid < 1 || pid > 0x7fff_ffff) {
    throw new InvalidArgumentError('A PID is a positive integer; run `ps -e` to list processes.');
  }
  return [...before, pid];
}

export function parsePatterns(text: string, before: readonly RegExp[] = []): RegExp[] {
  if (text === '')
    throw new InvalidArgumentError('An empty pattern matches every process; give part of a name.');
  return [...before, parseRegExp(text)];
}

export function parseRegExp(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new InvalidArgumentError(
      `${(error as Error).message}; put a \\ before a literal special character.`,
    );
  }
}

function parseTexts(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

export function parseCount(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a positive integer, as in 20.');
}

export function parseRanges(text: string, before: readonly AddressRange[] = []): AddressRange[] {
  const [start, end, ...more] = text.split('-');
  if (end === undefined || more.length > 0) {
    throw new InvalidArgumentError('A range is two addresses in hex, as in 7f12a0000000-7f12b0000000.');
  }
  const range = { startAddress: parseAddress(start!, 'down'), endAddress: parseAddress(end, 'up') };
  if (range.startAddress >= range.endAddress) {
    throw new InvalidArgumentError(`The range ${text} is empty: its end is not above its start.`);
  }
  return [...before, range].sort((a, b) => a.startAddress - b.startAddress);
}

/** The smallest page size of any machine; all others are multiples of it. */
const LEAST_PAGE_BYTES = 4_096n;

/**
 * An address in hex, as /proc/PID/maps prints it. Above 2^53 (five levels of page tables) a float64 no longer holds every
 * number, but every page-aligned one; other addresses are rounded to the next of these.
 */
export function parseAddress(text: string, direction: 'down' | 'up'): number {
  const [, digits] = /^(?:0x)?([0-9a-f]{1,16})$/i.exec(text) ?? [];
  if (digits === undefined) {
    throw new InvalidArgumentError('An address is up to 16 hex digits, as in 7f12a0000000.');
  }
  const address = BigInt(`0x${digits}`);
  if (address <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(address);
  const inPage = address % LEAST_PAGE_BYTES;
  return Number(address - inPage + (direction === 'up' && inPage > 0n ? LEAST_PAGE_BYTES : 0n));
}

export function parseDuration(text: string): number {
  return withUnit(parseDurationUs, text);
}

/** A quantity by a parser that throws UnitError. */
export function withUnit(parse: (text: string) => number, text: string): number {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof UnitError) throw new InvalidArgumentError(`${error.message}.`);
    throw error;
  }
}

/** `1.5%` is 1.5; NaN if it is not a percentage. */
export function percentOf(text: string): number {
  return Number(/^(\d+(?:\.\d*)?|\.\d+)\s*%$/.exec(text)?.[1]);
}

function parseBudget(text: string): number {
  const percent = percentOf(text);
  const mostPercent = 100 * availableParallelism();
  if (percent > 0 && percent <= mostPercent) return percent;
  throw new InvalidArgumentError(
    `Give a share of one core above 0% and at most ${mostPercent}%, which is all processors, as in 1% or 0.5%.`,
  );
}

function parseInteger(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Give an integer.');
  return Number(text);
}

function parseWorkers(text: string): number | 'per-target' {
  return text === 'per-target' ? text : within(WORKERS)(text);
}

function within(rule: Rule, parse = parseInteger): (text: string) => number {
  return (text) => {
    const value = parse(text);
    if (rule.is(value)) return value;
    throw new InvalidArgumentError(`It must be ${rule.wanted.replace(', in microseconds', '')}.`);
  };
}
