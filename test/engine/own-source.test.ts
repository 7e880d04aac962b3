import test from 'ava';
import { Monitor, type MonitorOptions, type Snapshot } from '../../src/index.js';

const OWN = new URL('../helpers/own-source.js', import.meta.url);
const SPACE = { space: { pages: 4_096, hot: 1_024 } };

const moduleOf = (text: string) => new URL(`data:text/javascript,${encodeURIComponent(text)}`);

async function lastOf(options: MonitorOptions): Promise<Snapshot> {
  await using monitor = await Monitor.start(options);
  let last: Snapshot | undefined;
  for await (const snapshot of monitor) last = snapshot;
  return last!;
}

test("a program's own source finds what is hot in a space that only it understands", async (t) => {
  const snapshot = await lastOf({
    check: OWN,
    targets: [SPACE],
    clock: 'virtual',
    seed: 1,
    attrs: { sampleUs: 5_000, aggrUs: 100_000 },
    durationUs: 10_000_000,
  });
  t.is(snapshot.check, 'first-pages');
  t.is(snapshot.target.comm, 'first pages');
  const pages = snapshot.workingSetBytes() / snapshot.pageSize;
  t.true(pages >= 1_000 && pages <= 1_100, `${pages} pages`);
});

test('a target that the source refuses fails alone, with its reason', async (t) => {
  const options = { check: OWN, targets: [SPACE, { pid: process.pid }] };
  await t.throwsAsync(Monitor.start(options), { code: 'ATTRS', message: 'first-pages watches only spaces' });
  await using monitor = await Monitor.start({ ...options, skipFailing: true });
  t.is(monitor.targets.length, 1);
});

test('a source that throws fails its target, and no other', async (t) => {
  const text = `
    import source from ${JSON.stringify(OWN.href)};
    const open = () => {
      const opens = source.open();
      return (request, random) => {
        const check = opens(request, random);
        if (request.space.hot === 0) check.answer = () => { throw new Error('out of order'); };
        return check;
      };
    };
    export default { ...source, name: 'sometimes', open };`;
  await using monitor = await Monitor.start({
    check: moduleOf(text),
    targets: [SPACE, { space: { pages: 16, hot: 0 } }],
    attrs: { sampleUs: 5_000, aggrUs: 100_000 },
  });
  const [, reason, message] = await new Promise<unknown[]>((resolve) => {
    monitor.once('detached', (...failed) => resolve(failed));
  });
  t.is(reason, 'failed');
  t.regex(String(message), /out of order/);
  t.is(monitor.targets.length, 1);
});

const GOOD = `name: 'own', delivers: 'pages', watches: 'spaces', costFollows: 'nothing', clears: 'nothing',
  disturbsReclaim: false, resolution: 'page', supported: () => ({ ok: true }), open: () => {}`;

for (const [what, text, message] of [
  ['none', 'export {}', /is not a source: its name must be/],
  ['one without open', `export default { ${GOOD}, open: 5 }`, /its open must be a function/],
  ['one named like another', `export default { ${GOOD}, name: 'idle-page' }`, /its name must be/],
  [
    'one of an unknown kind',
    `export default { ${GOOD}, delivers: 'x' }`,
    /delivers must be pages or regions/,
  ],
  ['a fault', 'throw new Error("no luck")', /cannot be loaded: no luck/],
] as const) {
  test(`a module with ${what} is refused with the member that is wrong`, async (t) => {
    await t.throwsAsync(Monitor.start({ check: moduleOf(text) }), { code: 'ATTRS', message });
  });
}

test('a source that this machine does not support is refused with its reason', async (t) => {
  const text = `export default { ${GOOD}, supported: () => ({ ok: false, reason: 'no lens', help: 'buy one' }) }`;
  await t.throwsAsync(Monitor.start({ check: moduleOf(text) }), {
    code: 'UNSUPPORTED',
    message: 'the own check cannot be used: no lens; buy one',
  });
});

test('a space without a source of its own, or one that no thread can get, is refused', async (t) => {
  await t.throwsAsync(Monitor.start({ targets: [{ space: 1 }], check: 'synthetic' }), { code: 'ATTRS' });
  await t.throwsAsync(Monitor.start({ targets: [{ space: () => 1 }], check: OWN }), {
    code: 'ATTRS',
    message: /targets\[0\].space must be a value that can be sent to a thread/,
  });
});
