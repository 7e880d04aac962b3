import type { Command } from 'commander';
import { addRaw } from './report/raw.js';

/** What a record, or a process that is watched for a while, comes to: a subcommand a kind of report. */
export function addReport(program: Command): void {
  const report = program
    .command('report')
    .description('what records come to, or a process that is watched for a while: tables, or JSON');
  addRaw(report);
}
