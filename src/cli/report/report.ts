import type { Command } from 'commander';
import { addAccess } from './access.js';
import { addDiff } from './diff.js';
import { addHeatmap } from './heatmap.js';
import { addMappings } from './mappings.js';
import { addRaw } from './raw.js';
import { addWss } from './wss.js';

/** What records come to, or processes that are watched for a while: a subcommand a kind of report. */
export function addReport(program: Command): void {
  const report = program
    .command('report')
    .description('what records come to, or processes that are watched for a while: tables, or JSON');
  addWss(report);
  addAccess(report);
  addMappings(report);
  addDiff(report);
  addRaw(report);
  addHeatmap(report);
}
