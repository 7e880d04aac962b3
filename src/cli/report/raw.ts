import type { Command } from 'commander';
import { rawJson, rawText } from '../../report/reports/raw.js';
import { print } from './output.js';
import { addReportOptions, forEachSource, type ReportOptions } from './sources.js';

export function addRaw(report: Command): void {
  addReportOptions(report.command('raw'))
    .description('every snapshot with all its regions; with --json one line each')
    .addHelpText('after', '\nExample:\n  pagepulse report raw it.ndjson.gz')
    .action(raw);
}

async function raw(paths: readonly string[], options: ReportOptions): Promise<void> {
  await forEachSource(paths, options, async (source) => {
    for await (const observation of source.observations()) {
      await print(
        options.json ? rawJson(observation, source.header.name) : rawText(observation, source.header.name),
      );
    }
  });
}
