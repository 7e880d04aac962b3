import { closeSync, openSync, writeSync } from 'node:fs';
import { PagepulseError } from '../src/core/errors.js';
import { type Answer, type Batch, mutantOf } from './batch.js';
import { TARGETS } from './targets.js';

async function run({ target: name, seed, from, count, progressPath }: Batch): Promise<void> {
  const target = TARGETS.find((each) => each.name === name)!;
  const seeds = await target.seeds();
  const progress = openSync(progressPath, 'w');
  const place = Buffer.alloc(8);
  const done = { accepted: 0, refused: 0, slowestMs: 0, slowest: from };
  for (let index = from; index < from + count; index++) {
    const bytes = mutantOf(target, seeds, seed, index);
    place.writeDoubleLE(index);
    writeSync(progress, place, 0, 8, 0);
    const begin = performance.now();
    try {
      await target.run(bytes, index);
      done.accepted++;
    } catch (error) {
      done.refused++;
      const fault = faultOf(error);
      if (fault) process.send!({ fault, index } satisfies Answer);
    }
    const ms = performance.now() - begin;
    if (ms > done.slowestMs) Object.assign(done, { slowestMs: ms, slowest: index });
  }
  closeSync(progress);
  process.send!({ done } satisfies Answer, () => process.disconnect());
}

/** A refused file must end in a RECORD error with a short message. */
function faultOf(error: unknown): string | undefined {
  if (!(error instanceof PagepulseError)) return error instanceof Error ? error.stack! : String(error);
  if (error.code !== 'RECORD') return `${error.code}: ${error.message}`;
  return error.message.length > 1_000 ? `a message of ${error.message.length} characters` : undefined;
}

process.once('message', run);
