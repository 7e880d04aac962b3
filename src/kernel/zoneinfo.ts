import { readTextFile, SYSTEM_FILE_LIMIT } from './text-file.js';

/**
 * The first frame number above all memory of the machine, from /proc/zoneinfo (proc(5)): a block a zone, which begins
 * with `Node 0, zone   Normal` and says how many frames the zone spans, holes included (`spanned`), and its first
 * (`start_pfn`). Readable by everyone. Zone `Device` is left out: memory of devices is not the machine's, and may lie
 * anywhere. Memory that is added while the machine runs makes a zone grow.
 *
 * @throws the system's error
 */
export function readEndFrame(): number {
  return parseEndFrame(readTextFile('/proc/zoneinfo', SYSTEM_FILE_LIMIT));
}

const FIELD = /(?:^|\n)(?:Node \d+, zone +(\S+)| +(spanned|start_pfn:?) +(\d+))/g;

export function parseEndFrame(text: string): number {
  let [endFrame, zone, spanned] = [0, '', 0];
  for (const [, name, field, value] of text.matchAll(FIELD)) {
    if (name !== undefined) {
      [zone, spanned] = [name, 0];
    } else if (field === 'spanned') {
      spanned = Number(value);
    } else if (zone !== 'Device' && spanned > 0) {
      endFrame = Math.max(endFrame, Number(value) + spanned);
    }
  }
  return endFrame;
}
