import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Monitor } from '../../src/index.js';
import { CommandNotStarted } from '../../src/session/child-command.js';
import { Session, type SessionEvent } from '../../src/session/session.js';
import { folderFor } from '../helpers/fixtures.js';
import { findProcesses } from '../helpers/processes.js';
import { hotCold } from '../helpers/synthetic.js';

async function eventsOf(session: Session, each: (event: SessionEvent) => unknown = () => {}) {
  const events: SessionEvent[] = [];
  for await (const event of session) {
    events.push(event);
    await each(event);
  }
  return events;
}

test('targets of the start and later ones arrive before their snapshots', async (t) => {
  const monitor = await Monitor.start({ targets: [hotCold()], clock: 'virtual', durationUs: 3e6 });
  const session = new Session(monitor);
  let second: Promise<unknown> | undefined;
  const events = await eventsOf(session, (event) => {
    if (event.type === 'snapshot') second ??= monitor.attach(hotCold()).catch(() => {});
    return second;
  });
  t.is(events[0]!.type, 'attached');
  const arrived = new Set<number>();
  for (const event of events) {
    if (event.type === 'attached') arrived.add(event.target.id);
    if (event.type === 'snapshot') t.true(arrived.has(event.snapshot.target.id));
  }
  t.true(events.filter(({ type }) => type === 'snapshot').length > 1);
  t.is((await session.ended).reason, 'duration');
});

test('a target that fails leaves with the reason, and ends the stream with the last one', async (t) => {
  const fault = { atUs: 1e6, kind: 'throw', always: true } as const;
  const session = new Session(await Monitor.start({ targets: [hotCold(32, { fault })], clock: 'virtual' }));
  const events = await eventsOf(session);
  t.like(events.at(-1), { type: 'detached', reason: 'failed' });
  t.is((await session.ended).reason, 'targets ended');
});

test('a slow reader misses no other event while snapshots wait', async (t) => {
  const monitor = await Monitor.start({ targets: [hotCold()], attrs: { sampleUs: 1_000, aggrUs: 5_000 } });
  const session = new Session(monitor);
  for await (const event of session) {
    if (event.type === 'snapshot') break; // leaving does not stop it
  }
  await monitor.setAttrs({ sampleUs: 2_000, aggrUs: 10_000 });
  await session.stop();
  const [first, ...rest] = await eventsOf(session);
  t.like(first, { type: 'attrs', change: { attrs: { sampleUs: 2_000 } } });
  t.true(rest.every(({ type }) => type === 'snapshot' || type === 'detached'));
});

test('the first snapshot is due an aggregation interval after the start, or after other intervals came', async (t) => {
  const monitor = await Monitor.start({ targets: [hotCold()], attrs: { sampleUs: 1e6, aggrUs: 60e6 } });
  t.teardown(() => monitor.stop());
  const session = new Session(monitor);
  t.true(session.firstSnapshotInUs <= 60e6);
  await monitor.setAttrs({ aggrUs: 3_600e6 });
  for await (const { type } of session) if (type === 'attrs') break;
  t.true(session.firstSnapshotInUs > 3_000e6);
});

test('a command that cannot be started says whether it is missing', async (t) => {
  const file = join(folderFor(t), 'file');
  writeFileSync(file, '');
  const start = (command: string) => Session.start({ monitor: {}, command: [command] });
  const missing = await t.throwsAsync(start('/nowhere/command'), { instanceOf: CommandNotStarted });
  const refused = await t.throwsAsync(start(file), { instanceOf: CommandNotStarted });
  t.deepEqual([missing!.isMissing, refused!.isMissing], [true, false]);
  t.is(missing!.message, 'cannot start /nowhere/command: command not found; check its name and PATH');
});

test('a command is ended if the monitor cannot start', async (t) => {
  const seconds = `3.${randomInt(2 ** 40)}`;
  const start = Session.start({ monitor: { attrs: { minRegions: 1 } }, command: ['sleep', seconds] });
  await t.throwsAsync(start, { code: 'ATTRS' });
  t.deepEqual(findProcesses(`sleep ${seconds}`), []);
});
