import test from 'ava';
import { type AddressRange, Monitor } from '../../src/index.js';
import { SOURCES } from '../../src/sources/registry.js';
import { startHotCold } from '../helpers/processes.js';

test('the referenced check finds the hot mapping of a process, and not the cold one', async (t) => {
  const support = SOURCES.referenced.supported();
  if (!support.ok) return t.fail(`this machine cannot do the referenced check: ${support.reason}`);
  const { pid, hot, cold } = await startHotCold(t);
  const ranges = [hot, cold].sort((a, b) => a.startAddress - b.startAddress);
  await using monitor = await Monitor.start({
    targets: [{ pid, ranges }],
    check: 'referenced',
    // Long: some virtual machines take 7 us for the first access to a page whose accessed bit was cleared.
    attrs: { sampleUs: 250_000, aggrUs: 2_000_000 },
  });
  let snapshots = 0;
  for await (const snapshot of monitor) {
    if (snapshots++ === 0) continue; // may have started before the first round of the workload
    const share = (range: AddressRange) => {
      const its = snapshot.regions.filter(
        ({ startAddress, endAddress }) => startAddress < range.endAddress && endAddress > range.startAddress,
      );
      const bytes = its.map(({ startAddress, endAddress }) => endAddress - startAddress);
      const seen = its.reduce((sum, { nrAccesses }, i) => sum + nrAccesses * bytes[i]!, 0);
      return seen / (snapshot.maxNrAccesses * bytes.reduce((sum, each) => sum + each, 0));
    };
    // Except in intervals in which other processes had the processors, which can be most.
    t.true(share(hot) > 0.1, `hot, ${share(hot)}`);
    t.is(share(cold), 0, 'cold');
    t.true(snapshot.workingSetBytes() <= 1.03 * (hot.endAddress - hot.startAddress));
    if (snapshots === 3) break; // however long that takes on a busy machine
  }
});
