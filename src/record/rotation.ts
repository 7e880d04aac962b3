import { lstatSync, renameSync } from 'node:fs';
import { join, parse } from 'node:path';
import { systemCode } from '../core/errors.js';
import { outputError } from './output-error.js';

/** When a recording goes on in a new file: at each multiple of a time since its start, or from a size on. */
export type Rotation = { readonly everyUs: number } | { readonly fromBytes: number };

/**
 * Makes way for a new file as logrotate does: `it.ndjson` becomes `it.1.ndjson`, what was that becomes `it.2.ndjson`, and so
 * on up to the first name that is free. So nothing is overwritten, and the larger the number the older the file.
 *
 * @throws PagepulseError `OUTPUT`
 */
export function makeWay(path: string): void {
  let last = 0;
  // A link that leads nowhere has a name, too.
  while (lstatSync(rotatedName(path, last + 1), { throwIfNoEntry: false })) last++;
  for (let number = last; number >= 0; number--) {
    try {
      renameSync(rotatedName(path, number), rotatedName(path, number + 1));
    } catch (error) {
      // Somebody else has moved it away, which is as good.
      if (systemCode(error) !== 'ENOENT') throw outputError(error, path);
    }
  }
}

/** `it.3.ndjson.gz` for the third of `it.ndjson.gz`; 0 is the file itself. */
export function rotatedName(path: string, number: number): string {
  if (number === 0) return path;
  const compressed = path.endsWith('.gz') ? '.gz' : '';
  const { dir, name, ext } = parse(path.slice(0, path.length - compressed.length));
  return join(dir, `${name}.${number}${ext}${compressed}`);
}
