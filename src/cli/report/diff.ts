import type { Command } from 'commander';
import type { ObservationSource } from '../../report/source/observation.js';
import { changesBetween, DiffSideSummary, renderDiff } from '../../report/summaries/diff.js';
import { note } from '../failure.js';
import { print } from '../output.js';
import { withProgress } from '../reading-progress.js';
import { parseCount, parseRegExp } from '../selection-options.js';
import { chosenOf } from './chosen.js';
import { addLimitOptions, type LimitOptions, limitsOf } from './mappings.js';
import { jsonHeader, printDocument, reportOn } from './run.js';
import { addStretchOptions, openRecords } from './sources.js';
import { type WindowOptions, windowOf } from './values.js';

interface DiffOptions extends LimitOptions, WindowOptions {
  readonly name?: readonly RegExp[];
  readonly json?: boolean;
  readonly limit: number;
}

export function addDiff(report: Command): void {
  addLimitOptions(addStretchOptions(report.command('diff')))
    .description(
      'what two recordings of one program differ in: working set, mappings, what became hot or cold',
    )
    .argument('<before>', 'a record')
    .argument('<after>', 'another one')
    .option(
      '--name <regex>',
      'only processes whose name or command line has this in it',
      (text, before: readonly RegExp[] = []) => [...before, parseRegExp(text)],
    )
    .option('--limit <n>', 'mappings that are shown', parseCount, 20)
    .option('--json', 'as JSON, in bytes and microseconds')
    .addHelpText('after', '\nExample:\n  pagepulse report diff before.ndjson.gz after.ndjson.gz')
    .action(diff);
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
  // Taken out, so that what was read is gone before the other is: both may be large.
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
