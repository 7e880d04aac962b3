import { Command, InvalidArgumentError, Option } from 'commander';
import { ADAPTATIONS, type AdaptationName } from '../../src/core/adaptation.js';
import { pageSize } from '../../src/kernel/page-size.js';
import { parseBytes, UnitError } from '../../src/report/units.js';
import { PATTERNS } from './patterns.js';
import { runOnce } from './run.js';
import { HEAD, rowOf } from './table.js';

// `npm run bench:accuracy`: how right the adaptations are about memory that exists only in memory. All of it, or a part.

interface Options {
  readonly pattern?: readonly string[];
  readonly size?: readonly number[];
  readonly adaptation?: readonly AdaptationName[];
  readonly samples?: number;
  readonly seed?: readonly number[];
  readonly aggregations: number;
  readonly json?: boolean;
}

const GIB = 2 ** 30;
const ALL_SIZES = [1, 4, 64, 1_024, 5_120].map((gib) => gib * GIB);
const LEAST_BYTES = 2 ** 26;
const MOST_BYTES = 2 ** 47;
const SEEDS = [1, 2, 3, 4, 5];
/** Where no budget is given, the kernel's way has its default of 1,000 regions, and the other one what that used. */
const DEFAULT_SAMPLES = 20_000;

const command = new Command('bench:accuracy')
  .description(
    'how right regions are, by pattern, size, adaptation and samples: medians of several seeds, (worst)',
  )
  .addOption(
    new Option('--pattern <name...>', 'what is accessed (default: all)').choices(Object.keys(PATTERNS)),
  )
  .option('--size <bytes...>', 'of the address space, as in 64g (default: 1g 4g 64g 1t 5t)', parseSize)
  .addOption(new Option('--adaptation <name...>', 'default: both').choices(ADAPTATIONS))
  .option(
    '--samples <n>',
    'in an aggregation interval, at most (default: damon 20000, evidence as many as damon has used)',
    parseWhole,
  )
  .option('--seed <n...>', 'default: 1 2 3 4 5', parseSeed)
  .option('--aggregations <n>', 'how long to watch', parseWhole, 300)
  .option('--json', 'one object a run')
  .showSuggestionAfterError(false)
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'bench:accuracy: ')) })
  .allowExcessArguments(false)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
for (const line of lines(command.opts<Options>())) {
  // Lets a closed pipe be heard of.
  await new Promise<void>((resolve) => process.stdout.write(`${line}\n`, () => resolve()));
}

function* lines(options: Options): Generator<string> {
  const {
    pattern = Object.keys(PATTERNS),
    size = ALL_SIZES,
    adaptation = ADAPTATIONS,
    seed = SEEDS,
  } = options;
  const { aggregations, samples, json } = options;
  if (!json) yield* HEAD;
  for (const name of pattern) {
    for (const totalBytes of size) {
      const results = seed.map((each) => {
        const run = { pattern: name, totalBytes, seed: each, aggregations };
        const isCompared = samples === undefined;
        const damon =
          adaptation.includes('damon') || isCompared
            ? runOnce({ ...run, adaptation: 'damon', samplesPerAggregation: samples ?? DEFAULT_SAMPLES })
            : undefined;
        const samplesPerAggregation = samples ?? Math.round(damon!.samples);
        const evidence = adaptation.includes('evidence')
          ? runOnce({ ...run, adaptation: 'evidence', samplesPerAggregation })
          : undefined;
        return { damon, evidence };
      });
      for (const which of adaptation) {
        const its = results.map((result) => result[which]!);
        if (json) yield* its.map((result) => JSON.stringify(result));
        else yield rowOf(its);
      }
    }
  }
}

function parseSize(text: string, before: readonly number[] = []): number[] {
  let bytes: number;
  try {
    bytes = parseBytes(text);
  } catch (error) {
    if (error instanceof UnitError) throw new InvalidArgumentError(`${error.message}.`);
    throw error;
  }
  if (!(bytes >= LEAST_BYTES && bytes <= MOST_BYTES && bytes % pageSize() === 0)) {
    throw new InvalidArgumentError('Give whole pages, from 64m to 128t.');
  }
  return [...before, bytes];
}

function parseSeed(text: string, before: readonly number[] = []): number[] {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Give a whole number.');
  return [...before, Number(text)];
}

function parseWhole(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Give a whole number from 1 on.');
  return Number(text);
}
