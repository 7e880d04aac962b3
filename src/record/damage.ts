import type { RecordReader } from './reader.js';

/**
 * Which lines of a record were left out because they are damaged, as a sentence: `3 damaged lines were left out: lines 5, 9,
 * 12`. Undefined where none were.
 */
export function damageOf(reader: Pick<RecordReader, 'skippedLines' | 'skippedLineNumbers'>) {
  const { skippedLines: count, skippedLineNumbers: numbers } = reader;
  if (count === 0) return undefined;
  const more = count > numbers.length ? ` and ${count - numbers.length} more` : '';
  return count === 1
    ? `1 damaged line was left out: line ${numbers}`
    : `${count} damaged lines were left out: lines ${numbers.join(', ')}${more}`;
}
