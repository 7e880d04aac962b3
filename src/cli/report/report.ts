import { type Command, Option } from 'commander';
import { GROUPINGS, type Grouping } from '../../report/region-mappings.js';
import type { ObservationSource } from '../../report/source/observation.js';
import { within } from '../../report/source/observation.js';
import {
  ACCESS_KEYS,
  type AccessQuery,
  type AccessResult,
  AccessSummary,
  selectRegions,
} from '../../report/summaries/access.js';
import { renderAccess } from '../../report/summaries/access-text.js';
import { changesBetween, DiffSideSummary, renderDiff } from '../../report/summaries/diff.js';
import { type MappingsResult, MappingsSummary } from '../../report/summaries/mappings.js';
import { renderMappings } from '../../report/summaries/mappings-text.js';
import { rawDocument, rawText } from '../../report/summaries/raw.js';
import { renderWss, type WssResult, WssSummary } from '../../report/summaries/wss.js';
import { parseCount, parseDuration, parsePatterns, parseRegExp, withExamples } from '../options.js';
import { note, print, printJson } from '../output.js';
import { addHeatmap } from './heatmap.js';
import {
  addLimitOptions,
  addMinAccessOption,
  addMomentOptions,
  addPeriodOptions,
  addReportOptions,
  type LimitOptions,
  limitsOf,
  parseAddresses,
  parseAges,
  parseShares,
  parseSizes,
  type ReportOptions,
  type WindowOptions,
  windowOf,
} from './options.js';
import { chosenOf, openRecords, withProgress } from './records.js';
import { forEachSource, jsonHeader, printDocument, type ReportKind, reportOn, runReport } from './run.js';

/** One subcommand for each kind of report. */
export function define(report: Command): void {
  addWss(report);
  addAccess(report);
  addMappings(report);
  addDiff(report);
  addRaw(report);
  addHeatmap(report);
}

interface WssOptions extends ReportOptions, WindowOptions {
  readonly minAccess: number;
  readonly step?: number;
  readonly limit: number;
}

function addWss(report: Command): void {
  const command = addMinAccessOption(addPeriodOptions(addReportOptions(report.command('wss'))))
    .description('the working set: percentiles, and over time, of each process and of all')
    .option('--step <time>', 'step of the figures over time (default: a 60th of the whole)', parseDuration)
    .option('--limit <n>', 'show at most N processes', parseCount, 20)
    .action((args: readonly string[], options: WssOptions) => {
      const { minAccess, step, limit } = options;
      const settings = { minAccessShare: minAccess, ...(step !== undefined && { stepUs: step }) };
      const kind: ReportKind<WssResult> = {
        name: 'wss',
        make: () => new WssSummary(settings),
        text: (source, result) => renderWss(source, result, limit),
      };
      return runReport(kind, args, options, windowOf(options));
    });
  withExamples(command, 'report wss it.ndjson.gz', 'report wss --pid 4242 --duration 10s');
}

interface AccessOptions extends ReportOptions, WindowOptions, AccessQuery {
  readonly limit: number;
}

function addAccess(report: Command): void {
  const command = addMomentOptions(addReportOptions(report.command('access')))
    .description('how often each region is accessed, and how much memory is idle for how long')
    .addOption(new Option('--sort <key>', 'sort by').choices(ACCESS_KEYS).default('access'))
    .option('--reverse', 'reverse the order')
    .option('--size <bounds>', 'only regions of this size, as in 1MiB..', parseSizes)
    .option('--access <bounds>', 'only with this share of samples accessed, as in 0%..5%', parseShares)
    .option('--age <bounds>', 'only unchanged for this long, as in 30s..', parseAges)
    .option('--address <bounds>', 'only those that start at these addresses, in hex', parseAddresses)
    .option('--mapping <regex>', 'only in mappings whose name matches', parseRegExp)
    .option('--limit <n>', 'show at most N regions', parseCount, 20)
    .action((args: readonly string[], options: AccessOptions) => {
      const chosen = (result: AccessResult) => selectRegions(result.regions, options);
      const kind: ReportKind<AccessResult> = {
        name: 'access',
        make: () => new AccessSummary(),
        text: (source, result) => renderAccess(source, result, chosen(result), options.limit),
        json: (result) => ({
          ...result,
          regions: chosen(result).map((region) => ({
            ...region,
            startAddress: region.startAddress.toString(16),
          })),
        }),
      };
      return runReport(kind, args, options, windowOf(options));
    });
  withExamples(
    command,
    'report access it.ndjson.gz --sort age --size 1MiB.. --access 0%..5%',
    'report access --at 12s it.ndjson.gz',
  );
}

interface MappingsOptions extends ReportOptions, WindowOptions, LimitOptions {
  readonly by: Grouping;
  readonly perProcess?: boolean;
  readonly limit: number;
}

function addMappings(report: Command): void {
  const command = addLimitOptions(addMomentOptions(addReportOptions(report.command('mappings'))))
    .description('hot, warm and cold memory by what it is: heap, stacks, libraries, files, ...')
    .addOption(new Option('--by <what>', 'group mappings by').choices(GROUPINGS).default('name'))
    .option('--per-process', 'one table per process instead of one of their sums')
    .option('--limit <n>', 'show at most N rows per table', parseCount, 20)
    .action((args: readonly string[], options: MappingsOptions) => {
      const { by, perProcess = false, limit } = options;
      const limits = limitsOf(options);
      const kind: ReportKind<MappingsResult> = {
        name: 'mappings',
        make: () => new MappingsSummary({ limits, by }),
        text: (source, result) => renderMappings(source, result, { limit, perProcess }),
      };
      return runReport(kind, args, options, windowOf(options));
    });
  withExamples(command, 'report mappings it.ndjson.gz', 'report mappings --name postgres --duration 1m');
}

interface DiffOptions extends LimitOptions, WindowOptions {
  readonly name?: readonly RegExp[];
  readonly json?: boolean;
  readonly limit: number;
}

function addDiff(report: Command): void {
  const command = addLimitOptions(addPeriodOptions(report.command('diff')))
    .description('compare two recordings of a program: working set, mappings, what became hot or cold')
    .argument('<before>', 'a record')
    .argument('<after>', 'another record')
    .option('--name <regex>', 'only processes whose name or command line matches', parsePatterns)
    .option('--limit <n>', 'show at most N mappings', parseCount, 20)
    .option('--json', 'print JSON, in bytes and microseconds')
    .action(diff);
  withExamples(command, 'report diff before.ndjson.gz after.ndjson.gz');
}

async function diff(before: string, after: string, options: DiffOptions): Promise<void> {
  const limits = limitsOf(options);
  const window = windowOf(options);
  const sideOf = async (source: ObservationSource) => {
    const chosen = chosenOf(withProgress(source), options);
    const { summary, result } = await reportOn(chosen, new DiffSideSummary(limits), window);
    for (const text of source.notes()) note(text);
    return { source: summary, side: result };
  };
  const sources = await openRecords([before, after]);
  // Removed from the list, so that the first one can be freed before the second is read: both may be large.
  const sides = [await sideOf(sources.shift()!), await sideOf(sources.shift()!)] as const;
  const changes = changesBetween(sides[0].side.mappings, sides[1].side.mappings);
  if (!options.json) return print(renderDiff(...sides, changes, options.limit));
  const [old, now] = sides.map(({ source, side: { processes, workingSet, known, mappings } }) => ({
    ...source,
    processes,
    workingSet,
    known,
    total: mappings.total,
    unmappedBytes: mappings.unmappedBytes,
  }));
  await printDocument({ ...jsonHeader('diff'), limits, before: old, after: now, mappings: changes });
}

function addRaw(report: Command): void {
  const command = addMomentOptions(addReportOptions(report.command('raw')))
    .description('every snapshot with all its regions; with --json one line each')
    .action((args: readonly string[], options: ReportOptions & WindowOptions) => {
      const window = windowOf(options);
      return forEachSource(args, options, async (source) => {
        const { name } = source.header;
        for await (const observation of within(source.observations(), window)) {
          if (options.json) await printJson(rawDocument(observation, name));
          else await print(rawText(observation, name));
        }
      });
    });
  withExamples(command, 'report raw it.ndjson.gz', 'report raw it.ndjson --at 12s');
}
