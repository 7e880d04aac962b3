import type { Command } from 'commander';
import { changesBetween, DiffSideReport } from '../../report/reports/diff.js';
import { renderDiff } from '../../report/reports/diff-text.js';
import type { ObservationSource } from '../../report/source/observation.js';
import { parseCount, parsePatterns } from '../options.js';
import { note, print } from '../output.js';
import {
  addLimitOptions,
  addPeriodOptions,
  type LimitOptions,
  limitsOf,
  type WindowOptions,
  windowOf,
} from './options.js';
import { withProgress } from './progress.js';
import { jsonHeader, printDocument, reportOn } from './run.js';
import { chosenOf, openRecords } from './sources.js';

interface DiffOptions extends LimitOptions, WindowOptions {
  readonly name?: readonly RegExp[];
  readonly json?: boolean;
  readonly limit: number;
}

export function addDiff(report: Command): void {
  addLimitOptions(addPeriodOptions(report.command('diff')))
    .description('compare two recordings of a program: working set, mappings, what became hot or cold')
    .argument('<before>', 'a record')
    .argument('<after>', 'another record')
    .option('--name <regex>', 'only processes whose name or command line matches', parsePatterns)
    .option('--limit <n>', 'show at most N mappings', parseCount, 20)
    .option('--json', 'print JSON, in bytes and microseconds')
    .addHelpText('after', '\nExample:\n  pagepulse report diff before.ndjson.gz after.ndjson.gz')
    .action(diff);
}

async function diff(before: string, after: string, options: DiffOptions): Promise<void> {
  const limits = limitsOf(options);
  const window = windowOf(options);
  const sideOf = async (source: ObservationSource) => {
    const chosen = chosenOf(withProgress(source), options);
    const { summary, result } = await reportOn(chosen, new DiffSideReport(limits), window);
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
