import type { Command } from 'commander';
import { renderWss, WssSummary } from '../../report/summaries/wss.js';
import { parseDuration } from '../options.js';
import { parseCount } from '../selection-options.js';
import { runReport } from './run.js';
import { addReportOptions, addStretchOptions, type ReportOptions } from './sources.js';
import { parseShare, type WindowOptions, windowOf } from './values.js';

interface WssCommandOptions extends ReportOptions, WindowOptions {
  readonly minAccess: number;
  readonly step?: number;
  readonly limit: number;
}

export function addWss(report: Command): void {
  addStretchOptions(addReportOptions(report.command('wss')))
    .description('the working set: percentiles, and over time, of each process and of all')
    .option(
      '--min-access <share>',
      'of the samples that found a region accessed, to count it; 0% is any',
      parseShare,
      0,
    )
    .option('--step <time>', 'steps of what is told over time (default: a 60th of the whole)', parseDuration)
    .option('--limit <n>', 'processes that are shown', parseCount, 20)
    .addHelpText(
      'after',
      '\nExamples:\n  pagepulse report wss it.ndjson.gz\n  pagepulse report wss --pid 4242 --duration 10s',
    )
    .action(wss);
}

function wss(args: readonly string[], options: WssCommandOptions): Promise<void> {
  const { minAccess, step, limit } = options;
  const kind = {
    name: 'wss',
    make: () => new WssSummary({ minAccessShare: minAccess, ...(step !== undefined && { stepUs: step }) }),
    text: (source: Parameters<typeof renderWss>[0], result: Parameters<typeof renderWss>[1]) =>
      renderWss(source, result, limit),
  };
  return runReport(kind, args, options, windowOf(options));
}
