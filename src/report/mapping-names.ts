import type { Mapping } from '../kernel/mapping.js';

/**
 * What a range of pages belongs to: the name of the mapping that it has most of, and how many others it touches.
 * Memory without a name is `anonymous`; a range between the mappings is `unmapped`.
 *
 * @param mappings in address order
 */
export function nameOfRange(mappings: readonly Mapping[], startPage: number, endPage: number): string {
  let largest = 0;
  let name = 'unmapped';
  const names = new Set<string>();
  for (const mapping of mappings) {
    const overlap = Math.min(mapping.endPage, endPage) - Math.max(mapping.startPage, startPage);
    if (overlap <= 0) continue;
    const itsName = printable(mapping.name) || 'anonymous';
    names.add(itsName);
    if (overlap > largest) [largest, name] = [overlap, itsName];
  }
  return names.size > 1 ? `${name} +${names.size - 1}` : name;
}

/**
 * Text of other people as it can be shown: what would move the cursor, colour the rest or take two columns is replaced,
 * so that a process cannot draw on the terminal by its name.
 */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a1-\u02ff]/g, '?');
}
