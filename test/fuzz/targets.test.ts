import test from 'ava';
import { TARGETS } from '../../fuzz/targets.js';

// One after another: they read the same file.
for (const { name, seeds, pack, run } of TARGETS) {
  // Among those of `any` are texts that no reader takes.
  if (name === 'any') continue;
  test.serial(`${name}: the reader takes each file that its mutants are made of`, async (t) => {
    const files = await seeds();
    t.true(files.length > 0);
    for (const [index, bytes] of files.entries())
      await t.notThrowsAsync(async () => run(pack ? pack(bytes) : bytes, index));
  });
}
