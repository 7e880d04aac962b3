import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ROOT } from './kernel/image.js';
import { Guest } from './machine/guest.js';

/** The wait between check and prepare, in the compiled barrier: without it, there are no two phases. */
const BARRIER = /else\s+this\.#awaitOthers\(CHECKS, before\);/;

/** Where a sampler begins a tick. The second is made late by 30 ms, as one with many pages to check would be. */
const TICK_BEGINS = 'barrier.awaitDue();';
const LATE = `${TICK_BEGINS} if (this.#slot === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);`;

/** This checkout's code with one late sampler, with or without the two-phase rule, beside its own node_modules. */
function variant(t: ExecutionContext, name: string, hasBarrier: boolean): string {
  const folder = join(ROOT, 'node_modules/.cache/pagepulse-lab', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const part of ['dist/src', 'dist/workers'])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  change(join(folder, 'dist/src/engine/sampler.js'), TICK_BEGINS, LATE);
  if (!hasBarrier) change(join(folder, 'dist/src/engine/barrier.js'), BARRIER, '');
  return join(folder, 'dist');
}

function change(path: string, what: string | RegExp, into: string): void {
  const source = readFileSync(path, 'utf8');
  const changed = source.replace(what, into);
  if (changed === source) throw new Error(`${path} has no ${what} any longer: mend the test`);
  writeFileSync(path, changed);
}

/** Of ten samples a few can fall on a page that is on its way between two reclaim lists, and cannot tell. */
const LEAST = 0.7;

const guest = Guest.shared();

test.serial(
  'share: both of two processes that share a file see what one of them reads, and would not without the two phases',
  async (t) => {
    const dists = { whole: variant(t, 'whole', true), mutant: variant(t, 'mutant', false) };
    const script = `rm -f /out/reader /out/holder
sharedfile /dev/shm/shared 1 1 slow >/out/reader & until [ -s /out/reader ]; do sleep 0.1; done
sharedfile /dev/shm/shared 1 1 hold >/out/holder & until [ -s /out/holder ]; do sleep 0.1; done
for dist in ${Object.values(dists).join(' ')}; do
  node $DIST/test/lab/scenarios/sharing.js $dist "$(cat /out/reader)" "$(cat /out/holder)"
done`;
    const lines = (await guest.shell(script, 60)).trimEnd().split('\n');
    const [whole, mutated] = lines.map((line) =>
      (JSON.parse(line) as number[][]).map((shares) => ({
        count: shares.length,
        least: Math.min(...shares),
      })),
    );
    const leastOf = (found: typeof whole) => found!.map(({ least }) => least).join(' and ');
    t.log(`lowest share of samples found accessed, reader and holder: ${leastOf(whole)}`);
    t.log(`the same without the two phases: ${leastOf(mutated)}`);
    for (const { count, least } of whole!) {
      t.true(count > 100);
      t.true(least >= LEAST, `a region with ${least}`);
    }
    t.true(
      mutated!.some(({ least }) => least < LEAST),
      'the lack of two phases went unnoticed',
    );
  },
);
