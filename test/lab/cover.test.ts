import type { WssResult } from '../../src/report/summaries/wss.js';
import { Guest } from './machine/guest.js';
import { scenario } from './scenario.js';
import { ENOUGH, expectFound } from './score/expect.js';

// Regions over the memory that is mapped. V8 lays its memory out at random addresses: the program that three ranges do not
// show.

const guest = Guest.shared();
const MIB = 2 ** 20;

/** 192 MiB in Buffers of 4 MiB, of which every sixth (32 MiB) is written all the time, a byte of each page. */
const NODE = `
const buffers = Array.from({ length: 48 }, () => Buffer.alloc(4 * 2 ** 20, 1));
const hot = buffers.filter((_, i) => i % 6 === 0);
for (let round = 0; ; round++) for (const buffer of hot) for (let at = 0; at < buffer.length; at += 4096) buffer[at] = round;`;

for (const adaptation of ['damon', 'evidence']) {
  scenario(`cover: of a Node program, the Buffers that are written are found: ${adaptation}`, async (t) => {
    await guest.shell(
      `node -e '${NODE}' & sleep 8
pagepulse report wss --pid $! --duration 40s --sample 50ms --aggr 1s --cover mapped --adaptation ${adaptation} --json >/out/node.json`,
      120,
    );
    const { sources } = JSON.parse(guest.read('node.json')) as { sources: WssResult[] };
    const { all, processes } = sources[0]!;
    const { p50 } = all!.bytes!;
    t.log(`${(p50 / MIB).toFixed(1)} MiB of 32, and Node's own`);
    t.falsy(processes[0]!.unknown);
    t.true(p50 > 30 * MIB && p50 < 44 * MIB, `${p50 / MIB} MiB`);
  });
}

for (const [what, command] of [
  ['32 MiB in the middle of 8 TiB that were never touched', 'sparse 8 32'],
  ['hotcold over mapped memory', 'hotcold 256 100 32'],
] as const) {
  scenario(`cover: ${what}`, async (t) => {
    expectFound(t, await guest.watch({ start: [command], seconds: 12, snapshots: ENOUGH, cover: 'mapped' }));
  });
}
