import { type ObservationSource, type Window, within } from '../../report/source/observation.js';
import { type SourceInfo, Span, type Summary, sourceInfo } from '../../report/summaries/summary.js';
import { print, printJson } from '../output.js';
import { forEachSource, type ReportOptions } from './sources.js';

/** Of JSON documents: it grows when a field changes its meaning, not when one is added. */
const JSON_VERSION = 1;

/** A kind of report: how it is made, and how it is shown. */
export interface ReportKind<Result> {
  readonly name: string;
  make(): Summary<Result>;
  text(source: SourceInfo, result: Result): string;
  /** What of it goes into JSON; by default all. */
  json?(result: Result): object;
}

/** Makes a report of each source; in JSON one document of all. */
export async function runReport<Result extends object>(
  kind: ReportKind<Result>,
  args: readonly string[],
  options: ReportOptions,
  window: Window,
): Promise<void> {
  const documents: object[] = [];
  let isFirst = true;
  await forEachSource(args, options, async (source) => {
    const { summary, result } = await reportOn(source, kind.make(), window);
    if (options.json) documents.push({ ...summary, ...(kind.json?.(result) ?? result) });
    else await print(`${isFirst ? '' : '\n'}${kind.text(summary, result)}`);
    isFirst = false;
  });
  if (options.json) await printDocument({ ...jsonHeader(kind.name), sources: documents });
}

/** Goes through a part of a source. */
export async function reportOn<Result>(
  source: ObservationSource,
  report: Summary<Result>,
  window: Window,
): Promise<{ summary: SourceInfo; result: Result }> {
  const span = new Span();
  for await (const observation of within(source.observations(), window)) {
    span.add(observation.snapshot.startUs, observation.snapshot.endUs);
    report.add(observation);
  }
  const result = report.result();
  return { summary: sourceInfo(source.header, span, source.notes()), result };
}

/** What every document begins with. */
export function jsonHeader(name: string): object {
  return { type: `report ${name}`, version: JSON_VERSION };
}

export function printDocument(document: object): Promise<void> {
  return printJson(document, rounded);
}

/** For printJson: a millionth is finer than anything that is measured. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Math.round(value * 1e6) / 1e6 : value;
}
