/** What a bench prints, kept as markdown for bench/RESULTS.md. */
export class Report {
  #text = '';

  add(text: string): void {
    console.log(`${text}\n`);
    this.#text += `${text}\n\n`;
  }

  get text(): string {
    return `${this.#text.trimEnd()}\n`;
  }
}

/** A table in markdown. */
export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** A chart in markdown (mermaid): a line of numbers for each series; what has no number is left out with its place. */
export function chart(
  title: string,
  x: { readonly name: string; readonly values: readonly string[] },
  y: { readonly name: string; readonly from: number; readonly to: number },
  lines: readonly (readonly number[])[],
): string {
  const known = x.values.map((_, i) => lines.every((line) => Number.isFinite(line[i])));
  const kept = <T>(values: readonly T[]) => values.filter((_, i) => known[i]);
  return [
    '```mermaid',
    'xychart-beta',
    `  title "${title}"`,
    `  x-axis "${x.name}" [${kept(x.values)
      .map((value) => `"${value}"`)
      .join(', ')}]`,
    `  y-axis "${y.name}" ${y.from} --> ${y.to}`,
    ...lines.map(
      (line) =>
        `  line [${kept(line)
          .map((value) => value.toFixed(3))
          .join(', ')}]`,
    ),
    '```',
  ].join('\n');
}

/** Accuracy against cost: a point for each budget that was tried, with the CPU it came to. */
export function accuracyChart(
  title: string,
  processor: string,
  points: readonly { readonly cost: string; readonly precision: number; readonly recall: number }[],
): string {
  return chart(
    `${title}: precision and recall`,
    { name: `CPU, of ${processor}`, values: points.map(({ cost }) => cost) },
    { name: 'share', from: 0, to: 1 },
    [points.map(({ precision }) => precision), points.map(({ recall }) => recall)],
  );
}
