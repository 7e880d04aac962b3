import { type Command, InvalidArgumentError, Option } from 'commander';
import { ADAPTATIONS, type AdaptationName } from '../core/adaptation.js';
import type { Attrs } from '../core/attrs.js';
import { DEFAULT_ADAPTATION } from '../core/create-adaptation.js';
import type { CheckName } from '../core/target.js';
import type { TuningGoal } from '../core/tuning.js';
import type { MonitorOptions } from '../engine/options.js';
import { type AddressRange, pagesOf } from '../processes/process-request.js';
import { Choice } from '../processes/selection.js';
import { parseDurationUs, UnitError } from '../report/units.js';
import { UsageError } from './failure.js';
import { addSelectionOptions, hasFilters, type SelectionOptions, selectionOf } from './selection-options.js';

/** What the commands that watch processes have in common on their command lines. */
export interface WatchOptions extends SelectionOptions {
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
  readonly adaptation: AdaptationName;
  readonly workers?: number | 'per-target';
  readonly seed?: number;
}

/** Adds the options of WatchOptions, and a command to start. */
export function addWatchOptions(command: Command): Command {
  command.argument('[command...]', 'a command to start and to watch with all that it starts, after --');
  return addMonitorOptions(command);
}

/** The same without the command. */
export function addMonitorOptions(command: Command): Command {
  return addSelectionOptions(command)
    .option(
      '--range <start-end>',
      'watch these addresses alone, in hex as in /proc/PID/maps; up to 3',
      parseRanges,
    )
    .option('-d, --duration <time>', 'end after this time', parseDuration)
    .option(
      '--sample <time>',
      'check one page of each region once in this time (default: --auto, from 5ms on)',
      parseDuration,
    )
    .option('--aggr <time>', 'make a snapshot in this time (default: 20 times --sample)', parseDuration)
    .option('--auto', 'find the intervals while running (default where none is given)')
    .option(
      '--access-bp <n>',
      '--auto: 1/10,000 of all accesses there could be, to see (default: 400)',
      parseWhole,
    )
    .option('--aggrs <n>', '--auto: snapshots between two steps (default: 3)', parseWhole)
    .option('--min-sample <time>', '--auto: no shorter --sample than this (default: 5ms)', parseDuration)
    .option('--max-sample <time>', '--auto: no longer one than this (default: 10s)', parseDuration)
    .option(
      '--max-cpu <share>',
      'cost at most this share of one core, with longer intervals, then fewer regions (default: 2% where no interval is given)',
      parsePercent,
    )
    .option('--update <time>', 'read the mappings again in this time (default: 1s)', parseDuration)
    .option('--min-regions <n>', 'regions of each process, at least (default: 10)', parseWhole)
    .option('--max-regions <n>', 'regions of all processes together, at most (default: 1000)', parseWhole)
    .option(
      '--max-samples <n>',
      'samples a second of all processes together, at most; for --adaptation evidence',
      parseWhole,
    )
    .addOption(
      new Option('--check <check>', 'how to see accesses; `pagepulse doctor` tells what there is')
        .choices(['auto', 'idle-page', 'referenced'])
        .default('auto'),
    )
    .addOption(
      new Option('--adaptation <name>', "how regions follow what is seen: the kernel's way, or by evidence")
        .choices(ADAPTATIONS)
        .default(DEFAULT_ADAPTATION),
    )
    .option('--workers <n>', 'sampler threads, or per-target (default: one a processor)', parseWorkers)
    .option('--seed <n>', 'make all random choices from this number', parseWhole);
}

/** The monitor that these options ask for. */
export function monitorOptions(
  options: WatchOptions,
  check: CheckName,
  selected: Pick<MonitorOptions, 'targets' | 'select'>,
): MonitorOptions {
  const { sample, aggr, update, minRegions, maxRegions, maxSamples, workers, seed, duration, maxCpu } =
    options;
  const goal = goalOf(options);
  const isAuto = options.auto || Object.keys(goal).length > 0;
  const attrs: Partial<Attrs> = {
    ...(sample !== undefined && { sampleUs: sample }),
    ...(aggr !== undefined && { aggrUs: aggr }),
    ...(update !== undefined && { updateUs: update }),
    ...(minRegions !== undefined && { minRegions }),
    ...(maxRegions !== undefined && { maxRegions }),
    ...(maxSamples !== undefined && { maxSamplesPerSecond: maxSamples }),
  };
  return {
    ...selected,
    attrs,
    ...(isAuto && { auto: goal }),
    ...(maxCpu !== undefined && { maxCpuPercent: maxCpu }),
    costOf: 'process',
    check,
    adaptation: options.adaptation,
    ...(workers !== undefined && { workers }),
    ...(seed !== undefined && { seed }),
    ...(duration !== undefined && { durationUs: duration }),
  };
}

/** What `--auto` is to aim at, as far as it was given. */
export function goalOf({ accessBp, aggrs, minSample, maxSample }: WatchOptions): Partial<TuningGoal> {
  return {
    ...(accessBp !== undefined && { accessBp }),
    ...(aggrs !== undefined && { aggrs }),
    ...(minSample !== undefined && { minSampleUs: minSample }),
    ...(maxSample !== undefined && { maxSampleUs: maxSample }),
  };
}

/** @throws UsageError where nothing was given to watch; PagepulseError `ATTRS` where what was given cannot be */
export function requireTargets(options: WatchOptions, command: readonly string[], example: string): void {
  const processes = (options.pid?.length ?? 0) + (command.length > 0 ? 1 : 0);
  if (options.range && (processes > 1 || hasFilters(options) || options.children))
    throw new UsageError('--range is for one process, by --pid or a command; watch the others apart');
  // Before a command is started in vain.
  if (options.range) pagesOf(options.range);
  if (hasFilters(options)) new Choice(selectionOf(options));
  if (processes > 0 || hasFilters(options)) return;
  throw new UsageError(
    'nothing to watch: give --pid PID, --name, --user, --cgroup or --container, or a command after --, as in ' +
      `\`${example}\``,
  );
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

/** No machine has smaller pages, and the size of those of all others is a multiple. */
const LEAST_PAGE_BYTES = 4_096n;

/**
 * An address in hex, as /proc/PID/maps prints it. Above 2^53 (five levels of page tables) a float64 no longer holds every
 * number, but it does hold every page-aligned one; other addresses are rounded to the next of these.
 */
export function parseAddress(text: string, direction: 'down' | 'up'): number {
  const [, digits] = /^(?:0x)?([0-9a-f]{1,16})$/i.exec(text) ?? [];
  if (digits === undefined) {
    throw new InvalidArgumentError('An address is hex, of up to 16 digits, as in 7f12a0000000.');
  }
  const address = BigInt(`0x${digits}`);
  if (address <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(address);
  const inPage = address % LEAST_PAGE_BYTES;
  return Number(address - inPage + (direction === 'up' && inPage > 0n ? LEAST_PAGE_BYTES : 0n));
}

export function parseDuration(text: string): number {
  return withUnit(parseDurationUs, text);
}

/** A quantity by a parser that throws UnitError, as commander wants to hear it. */
export function withUnit(parse: (text: string) => number, text: string): number {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof UnitError) throw new InvalidArgumentError(`${error.message}.`);
    throw error;
  }
}

/** `1.5%` is 1.5; NaN for what is no percentage. */
export function percentOf(text: string): number {
  return Number(/^(\d+(?:\.\d*)?|\.\d+)\s*%$/.exec(text)?.[1]);
}

function parsePercent(text: string): number {
  const percent = percentOf(text);
  if (percent > 0) return percent;
  throw new InvalidArgumentError('Give a share of one core above 0, as in 1% or 0.5%.');
}

function parseWhole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Give a whole number.');
  return Number(text);
}

function parseWorkers(text: string): number | 'per-target' {
  return text === 'per-target' ? text : parseWhole(text);
}
