import { type Command, Option } from 'commander';
import { GROUPINGS, type Grouping } from '../../report/region-mappings.js';
import { DEFAULT_LIMITS } from '../../report/summaries/mapping-sums.js';
import { MappingsSummary } from '../../report/summaries/mappings.js';
import { renderMappings } from '../../report/summaries/mappings-text.js';
import { UsageError } from '../failure.js';
import { parseCount } from '../selection-options.js';
import { runReport } from './run.js';
import { addMomentOptions, addReportOptions, type ReportOptions } from './sources.js';
import { parseShare, type WindowOptions, windowOf } from './values.js';

/** Where memory is warm and hot, on the command line. */
export interface LimitOptions {
  readonly minAccess: number;
  readonly hot: number;
}

interface MappingsCommandOptions extends ReportOptions, WindowOptions, LimitOptions {
  readonly by: Grouping;
  readonly perProcess?: boolean;
  readonly limit: number;
}

export function addMappings(report: Command): void {
  addLimitOptions(addMomentOptions(addReportOptions(report.command('mappings'))))
    .description(
      'what memory is (heap, stacks, libraries, files, ...), how much of each is hot, warm and cold',
    )
    .addOption(new Option('--by <what>', 'what is told together').choices(GROUPINGS).default('name'))
    .option('--per-process', 'a table for each process, not one of their sums')
    .option('--limit <n>', 'rows of a table', parseCount, 20)
    .addHelpText(
      'after',
      '\nExamples:\n  pagepulse report mappings it.ndjson.gz\n  pagepulse report mappings --name postgres --duration 1m',
    )
    .action(mappings);
}

export function addLimitOptions(command: Command): Command {
  return command
    .option(
      '--min-access <share>',
      'of the samples, to be in the working set: warm; 0% is any',
      parseShare,
      0,
    )
    .option('--hot <share>', 'of the samples, to be hot', parseShare, DEFAULT_LIMITS.hotShare);
}

/** @throws UsageError */
export function limitsOf({ minAccess, hot }: LimitOptions): { warmShare: number; hotShare: number } {
  if (minAccess > hot) throw new UsageError('--min-access is above --hot; exchange them');
  return { warmShare: minAccess, hotShare: hot };
}

function mappings(args: readonly string[], options: MappingsCommandOptions): Promise<void> {
  const { by, perProcess = false, limit } = options;
  const limits = limitsOf(options);
  const kind = {
    name: 'mappings',
    make: () => new MappingsSummary({ limits, by }),
    text: (source: Parameters<typeof renderMappings>[0], result: Parameters<typeof renderMappings>[1]) =>
      renderMappings(source, result, { limit, perProcess }),
  };
  return runReport(kind, args, options, windowOf(options));
}
