import { characters } from './characters.js';

/**
 * The last `cells` values as a line of bars from 0 to the largest of them, right-aligned, for the latest is at the right
 * end. Zero has the lowest bar, anything above it a higher one; what is not known is left empty.
 */
export function sparkline(values: readonly (number | null)[], cells: number): string {
  const shown = values.slice(-Math.max(0, cells));
  if (cells <= 0) return '';
  const { levels } = characters();
  const largest = Math.max(0, ...shown.map((value) => value ?? 0));
  const bars = shown.map((value) => {
    if (value === null) return ' ';
    if (!(value > 0)) return levels[0]!;
    return levels[Math.min(7, Math.max(1, Math.round((value / largest) * 7)))]!;
  });
  return bars.join('').padStart(cells);
}
