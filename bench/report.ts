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
