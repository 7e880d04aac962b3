// Any user can choose the names of processes, files and mappings, and the contents of a record. The terminal is often root's.
// So all output passes through one of these functions.

// Tested first, because nearly all text is plain and a report may print gigabytes of it.
const NOT_PLAIN = /[^\x20-\x7e]/;
const NOT_PLAIN_LINES = /[^\n\x20-\x7e]/;
/**
 * Control and format characters (ESC, line feeds, changes of direction, joiners), lone surrogates, private and unassigned
 * characters, and line separators. Any of them can move the cursor or change the rest of the line.
 */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
/** The same, except for line feeds. */
const UNPRINTABLE_IN_LINES = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/gu;
/** The same, but a sequence that sets colours or other attributes matches as a whole. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: attributes are control sequences
const UNPRINTABLE_OR_ATTRIBUTES = /\x1b\[[0-9;]*m|(?!\n)[\p{C}\p{Zl}\p{Zp}]/gu;
/** These select a narrow or a wide glyph. Without them, the width is the one that columnsOf returns. */
const VARIANTS = /\p{Variation_Selector}/gu;

/** Makes a name, or one line of text with names, safe to show: no process can control the terminal through its name. */
export function printable(text: string): string {
  return NOT_PLAIN.test(text) ? text.replace(VARIANTS, '').replace(UNPRINTABLE, '?') : text;
}

/**
 * Makes the lines of a table or picture safe to show. Keeps line feeds and attributes, because the layout adds them after
 * making names printable. A name that was missed can at most colour the text after it.
 */
export function printableLines(text: string): string {
  if (!NOT_PLAIN_LINES.test(text)) return text;
  return text.replace(UNPRINTABLE_OR_ATTRIBUTES, (found) => (found.startsWith('\x1b[') ? found : '?'));
}

type JsonArguments = readonly [
  value: unknown,
  replacer?: (key: string, value: unknown) => unknown,
  indent?: number,
];

/** JSON.stringify with every unprintable character escaped: the same value, and harmless on a terminal. */
export function jsonText(...[value, replacer, indent]: JsonArguments): string {
  return withEscapes(JSON.stringify(value, replacer, indent));
}

/** The same with a line feed at the end. Appending it later would copy the text once more. */
export function jsonLine(...[value, replacer, indent]: JsonArguments): string {
  return withEscapes(`${JSON.stringify(value, replacer, indent)}\n`);
}

function withEscapes(json: string): string {
  return NOT_PLAIN_LINES.test(json) ? json.replace(UNPRINTABLE_IN_LINES, escaped) : json;
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
  ).join('');
}
