import type { Report, SourceSummary } from '../../report/reports/report.js';
import { Span, sourceSummary } from '../../report/reports/report.js';
import { type Window, within } from '../../report/source/window.js';
import { print } from './output.js';
import { forEachSource, type ReportOptions } from './sources.js';

/** Of JSON documents: it grows when a field changes its meaning, not when one is added. */
const JSON_VERSION = 1;

/** A kind of report: how it is made, and how it is shown. */
export interface ReportKind<Result> {
  readonly name: string;
  make(): Report<Result>;
  text(source: SourceSummary, result: Result): string;
  /** What of it goes into JSON; by default all. */
  json?(result: Result): object;
}

/** Makes a report of each source; in JSON one document of all. */
export async function runReport<Result extends object>(
  kind: ReportKind<Result>,
  paths: readonly string[],
  options: ReportOptions,
  window: Window,
): Promise<void> {
  const documents: object[] = [];
  let isFirst = true;
  await forEachSource(paths, options, async (source) => {
    const report = kind.make();
    const span = new Span();
    for await (const observation of within(source.observations(), window)) {
      span.add(observation.snapshot.startUs, observation.snapshot.endUs);
      report.add(observation);
    }
    const result = report.result();
    const summary = sourceSummary(source.header, span, source.notes());
    if (options.json) documents.push({ ...summary, ...(kind.json?.(result) ?? result) });
    else await print(`${isFirst ? '' : '\n'}${kind.text(summary, result)}`);
    isFirst = false;
  });
  if (options.json)
    await printJson({ type: `report ${kind.name}`, version: JSON_VERSION, sources: documents });
}

export function printJson(document: object): Promise<void> {
  return print(`${JSON.stringify(document, rounded)}\n`);
}

/** For JSON.stringify: a millionth is finer than anything that is measured. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Math.round(value * 1e6) / 1e6 : value;
}
