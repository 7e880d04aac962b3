import { Guest } from './machine/guest.js';
import { scenario } from './scenario.js';
import { ENOUGH, expectFollowed, expectFound } from './score/expect.js';

// The adaptation by evidence meets what is asked of the kernel's (plain.test.ts, change.test.ts). What both cost beside each
// other is measured by `npm run lab:cost -- adaptations`.

const guest = Guest.shared();
const adaptation = 'evidence';

for (const [what, command] of [
  ['plain pages', 'hotcold 256 100 32'],
  ['transparent huge pages', 'hotcold 256 100 32 thp'],
] as const) {
  scenario(`evidence: hotcold of ${what}`, async (t) => {
    expectFound(t, await guest.watch({ start: [command], seconds: 12, snapshots: ENOUGH, adaptation }));
  });
}

scenario('evidence: moving', async (t) => {
  expectFollowed(t, await guest.watch({ start: ['moving 240 24 15'], seconds: 46, adaptation }));
});
