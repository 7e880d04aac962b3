import type { Command } from 'commander';
import { within } from '../../report/source/observation.js';
import { rawDocument, rawText } from '../../report/summaries/raw.js';
import { print, printJson } from '../output.js';
import { addMomentOptions, addReportOptions, forEachSource, type ReportOptions } from './sources.js';
import { type WindowOptions, windowOf } from './values.js';

export function addRaw(report: Command): void {
  addMomentOptions(addReportOptions(report.command('raw')))
    .description('every snapshot with all its regions; with --json one line each')
    .addHelpText(
      'after',
      '\nExamples:\n  pagepulse report raw it.ndjson.gz\n  pagepulse report raw it.ndjson --at 12s',
    )
    .action(raw);
}

async function raw(args: readonly string[], options: ReportOptions & WindowOptions): Promise<void> {
  const window = windowOf(options);
  await forEachSource(args, options, async (source) => {
    for await (const observation of within(source.observations(), window)) {
      if (options.json) await printJson(rawDocument(observation, source.header.name));
      else await print(rawText(observation, source.header.name));
    }
  });
}
