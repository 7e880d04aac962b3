import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { folder, isOneLine, run } from '../../helpers/cli.js';

/** What damo wrote of a kernel's DAMON: 38 snapshots in 7.87 s, of one target without a name or mappings. */
const DAMON = fileURLToPath(
  new URL('../../../../test/record/convert/kernel/damo-3.4.1.data', import.meta.url),
);

test("every report tells of a recording of the kernel's DAMON what it has, once it is converted", async (t) => {
  const record = join(folder(t), 'it.ndjson');
  const report = async (...args: string[]) => {
    const { status, out, err } = await run(t, 'report', ...args);
    t.deepEqual([status, err], [0, ''], 'and nothing is wrong with it');
    return out;
  };
  t.deepEqual(await run(t, 'convert', DAMON, '--to', 'ndjson', '-o', record), {
    status: 0,
    out: '',
    err: '',
  });
  const wss = await report('wss', record);
  t.regex(wss, /\n7\.87 s, 38 snapshots of 1 process, DAMON check\n/);
  t.regex(wss, /\ntarget 0 +16\.1 MiB +56\.1 MiB +69\.4 MiB +- +- /);
  t.regex(await report('access', record), /\n55ce81502000 +467 MiB +0 % +3\.8 s +-\n/);
  t.regex(await report('mappings', record), /does not tell what was mapped/);
  t.regex(await report('heatmap', record), /\ntarget 0 {2}the hottest 18\.6 MiB of 536 MiB watched/);
  t.is((await report('raw', '--json', record)).trimEnd().split('\n').length, 38);
  t.regex(await report('diff', record, record), /\nworking set, p50 +16\.1 MiB +16\.1 MiB +0 B\n/);
});

test('a file of damo itself is refused, and the command is named that makes a record of it', async (t) => {
  const outcome = await run(t, 'report', 'wss', DAMON);
  t.is(outcome.status, 1);
  isOneLine(t, outcome, /is no record .* `pagepulse convert --to ndjson`/);
});
