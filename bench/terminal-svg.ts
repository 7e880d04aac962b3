/** Cells of a terminal, in pixels of the picture. */
const WIDTH = 8.4;
const HEIGHT = 18;
const BACKGROUND = '#0d1117';
const FOREGROUND = '#e6edf3';
const DIM = '#9da7b3';

interface Style {
  front: string;
  back: string | undefined;
  isBold: boolean;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the sequence that sets attributes
const ATTRIBUTES = /\x1b\[([\d;]*)m/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the same, and the text between
const PARTS = /\x1b\[([\d;]*)m|([^\x1b]+)/g;

/** These lines as a terminal with 24-bit colours shows them, as SVG. Knows the attributes that heat maps use. */
export function terminalSvg(lines: readonly string[], title: string): string {
  const width = Math.max(...lines.map((line) => line.replaceAll(ATTRIBUTES, '').length)) * WIDTH + 20;
  const height = lines.length * HEIGHT + 20;
  const body = lines.flatMap((line, row) => lineSvg(line, 10 + row * HEIGHT));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="ui-monospace,Menlo,Consolas,DejaVu Sans Mono,monospace" font-size="14" shape-rendering="crispEdges">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" rx="6" fill="${BACKGROUND}"/>`,
    ...body,
    '</svg>\n',
  ].join('\n');
}

function lineSvg(line: string, y: number): string[] {
  const parts: string[] = [];
  const style: Style = { front: FOREGROUND, back: undefined, isBold: false };
  let column = 0;
  for (const [, codes, text] of line.matchAll(PARTS)) {
    if (codes !== undefined) apply(codes, style);
    if (text === undefined) continue;
    const x = 10 + column * WIDTH;
    const length = text.length * WIDTH;
    const box = (dy: number, high: number, fill: string) =>
      `<rect x="${x.toFixed(1)}" y="${y + dy}" width="${length.toFixed(1)}" height="${high}" fill="${fill}"/>`;
    const half = HEIGHT / 2;
    if (style.back) parts.push(box(0, HEIGHT, style.back));
    if (text.startsWith('▀')) parts.push(box(0, half, style.front));
    else if (text.startsWith('▄')) parts.push(box(half, half, style.front));
    else if (text.trim() !== '') {
      const weight = style.isBold ? ' font-weight="bold"' : '';
      parts.push(
        `<text x="${x.toFixed(1)}" y="${y + 13}" fill="${style.front}"${weight} textLength="${length.toFixed(1)}" xml:space="preserve">${escaped(text)}</text>`,
      );
    }
    column += text.length;
  }
  return parts;
}

function apply(codes: string, style: Style): void {
  const colour = (rgb: string) => `rgb(${rgb.replaceAll(';', ',')})`;
  const [, front] = /38;2;(\d+;\d+;\d+)/.exec(codes) ?? [];
  const [, back] = /48;2;(\d+;\d+;\d+)/.exec(codes) ?? [];
  if (codes === '0') Object.assign(style, { front: FOREGROUND, back: undefined, isBold: false });
  else if (codes === '1') style.isBold = true;
  else if (codes === '2') style.front = DIM;
  if (front) style.front = colour(front);
  if (back) style.back = colour(back);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
