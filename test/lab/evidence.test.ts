import type { AdaptationName } from '../../src/index.js';
import { Guest } from './machine/guest.js';
import { scenario } from './scenario.js';
import { expectFound, scored } from './score/expect.js';
import { lagsMs } from './score/score.js';

// The adaptation by evidence meets what is asked of the kernel's (plain.test.ts, change.test.ts), which is watched beside it
// for the log: in the same guest, and with intervals and limits that are the same.

const guest = Guest.shared();
const ADAPTATIONS = ['damon', 'evidence'] as const satisfies readonly AdaptationName[];

for (const [what, command] of [
  ['plain pages', 'hotcold 256 100 32'],
  ['transparent huge pages', 'hotcold 256 100 32 thp'],
] as const) {
  for (const adaptation of ADAPTATIONS) {
    scenario(`evidence: hotcold of ${what}, by ${adaptation}`, async (t) => {
      expectFound(t, await guest.watch({ start: [command], seconds: 20, adaptation }));
    });
  }
}

for (const adaptation of ADAPTATIONS) {
  scenario(`evidence: moving, by ${adaptation}`, async (t) => {
    const watched = await guest.watch({ start: ['moving 240 24 15'], seconds: 46, adaptation });
    const [process] = scored(watched);
    const lags = lagsMs(watched.snapshots[0]!, process!.phases.slice(0, 3));
    t.log(`behind by ${lags.map((ms) => `${(ms / 1e3).toFixed(1)} s`).join(', ')}`);
    expectFound(t, watched, { least: 0.95, settleUs: 5e6 });
  });
}
