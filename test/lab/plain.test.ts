import { Guest } from './machine/guest.js';
import { scenario } from './scenario.js';
import { ENOUGH, expectFound } from './score/expect.js';

// Hot and cold memory of a process, at 5 ms and 100 ms.

const guest = Guest.shared();
const watch = (start: readonly string[], seconds = 12) => guest.watch({ start, seconds, snapshots: ENOUGH });

for (const [what, command] of [
  ['plain pages', 'hotcold 256 100 32'],
  ['transparent huge pages', 'hotcold 256 100 32 thp'],
  ['pages that are only written', 'hotcold 128 60 16 write'],
  ['a static program of few mappings', 'hotcold-static 128 60 16'],
] as const) {
  scenario(`hotcold: of ${what}, the hot ones are found and no others`, async (t) => {
    expectFound(t, await watch([command]));
  });
}

scenario('hotcold: 4 MiB are found in 512', async (t) => {
  // So small a range ends where chance has split the regions around it: once in thirty recordings by more than 2 % of it
  // off the mark, on perfect samples too.
  expectFound(t, await watch(['hotcold 512 300 4'], 20));
});

scenario('hotcold: two processes at once are each found by a sampler of their own', async (t) => {
  const start = ['hotcold 256 100 32', 'hotcold 256 100 32 thp'];
  expectFound(t, await watch(start), { least: 0.97 });
});
