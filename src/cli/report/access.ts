import { type Command, Option } from 'commander';
import {
  ACCESS_KEYS,
  type AccessQuery,
  type AccessResult,
  AccessSummary,
  selectRegions,
} from '../../report/summaries/access.js';
import { renderAccess } from '../../report/summaries/access-text.js';
import { parseCount, parseRegExp } from '../selection-options.js';
import { runReport } from './run.js';
import { addMomentOptions, addReportOptions, type ReportOptions } from './sources.js';
import {
  parseAddresses,
  parseAges,
  parseShares,
  parseSizes,
  type WindowOptions,
  windowOf,
} from './values.js';

interface AccessCommandOptions extends ReportOptions, WindowOptions, AccessQuery {
  readonly limit: number;
}

export function addAccess(report: Command): void {
  addMomentOptions(addReportOptions(report.command('access')))
    .description('which addresses are accessed how often: regions, and how much memory is how idle')
    .addOption(new Option('--sort <key>', 'by what').choices(ACCESS_KEYS).default('access'))
    .option('--reverse', 'the other way round')
    .option('--size <bounds>', 'only regions of this size, as in 1MiB..', parseSizes)
    .option('--access <bounds>', 'only with this share of samples, as in 0%..5%', parseShares)
    .option('--age <bounds>', 'only that have been as they are for so long, as in 30s..', parseAges)
    .option('--address <bounds>', 'only that begin at these addresses, in hex', parseAddresses)
    .option('--mapping <regex>', 'only in mappings whose name has this in it', parseRegExp)
    .option('--limit <n>', 'regions that are shown', parseCount, 20)
    .addHelpText(
      'after',
      '\nExamples:\n  pagepulse report access it.ndjson.gz --sort age --size 1MiB.. --access 0%..5%\n' +
        '  pagepulse report access --at 12s it.ndjson.gz',
    )
    .action(access);
}

function access(args: readonly string[], options: AccessCommandOptions): Promise<void> {
  const kind = {
    name: 'access',
    make: () => new AccessSummary(),
    text: (source: Parameters<typeof renderAccess>[0], result: AccessResult) =>
      renderAccess(source, result, selectRegions(result.regions, options), options.limit),
    json: (result: AccessResult) => ({
      ...result,
      regions: selectRegions(result.regions, options).map((region) => ({
        ...region,
        startAddress: region.startAddress.toString(16),
      })),
    }),
  };
  return runReport(kind, args, options, windowOf(options));
}
