import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import type { TargetInfo } from '../../src/core/target.js';
import { readMappings } from '../../src/kernel/maps.js';
import { pageSize } from '../../src/kernel/page-size.js';
import { readStat } from '../../src/kernel/stat.js';
import { type MemoryFactsChange, MemoryReader } from '../../src/processes/facts.js';
import { recordedMemory } from '../../src/record/format.js';
import { ObservedMemory } from '../../src/record/observed-memory.js';
import { startProgram } from '../helpers/memory-programs.js';
import { ended, start } from '../helpers/processes.js';
import { TARGET } from '../helpers/records.js';

const MIB = 2 ** 20;

const targetOf = (pid: number) => ({ ...TARGET, pid, startTime: readStat(pid).startTime });

/** Due whenever it is asked: no interval, and targets to share the cost with are less than one. */
function eagerReader(pid: number) {
  const target = targetOf(pid);
  const targets = Object.assign([target], { length: 0 });
  return { target, reader: new MemoryReader({ targets, attrs: { updateUs: 0 } }) };
}

/** A long reading is told by a later call. */
async function told(reader: MemoryReader, target: TargetInfo): Promise<MemoryFactsChange> {
  for (;;) {
    const change = reader.change(target);
    if (change) return change;
    await nextTurn();
  }
}

test('what is told first is all of it, as /proc has it', async (t) => {
  const program = await startProgram(t, 'tell(0)');
  if (!program) return;
  const { target, reader } = eagerReader(program.pid);
  const change = await told(reader, target);
  const expected = readFileSync(`/proc/${program.pid}/maps`, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => /^(\S+)-(\S+) (\S+) \S+ \S+ \S+ *(.*)$/.exec(line)!.slice(1))
    .filter(([, , , name]) => name !== '[vsyscall]');
  t.deepEqual(recordedMemory(change, pageSize()).mappings as unknown, expected);
  t.is(change.removed, undefined);
  t.true(change.residentBytes! > MIB);
  const starts = new Set(change.mappings!.map(({ startPage }) => startPage));
  t.is(change.resident!.length, starts.size);
  t.true(change.resident!.every(([start, bytes]) => starts.has(start) && bytes % pageSize() === 0));
  t.deepEqual(reader.whole(target), change);
});

test('later only what has changed is told, and it adds up to what there is', async (t) => {
  const program = await startProgram(
    t,
    `a = own(16); write(a, 4); c = own(128)
def step(*_):
    global b
    c.close(); b = own(64); write(b, 32); os.write(1, b'done\\n')
signal.signal(signal.SIGUSR1, step)
tell(at(a))`,
  );
  if (!program) return;
  const { target, reader } = eagerReader(program.pid);
  const memory = new ObservedMemory(pageSize());
  memory.update(await told(reader, target));
  const page = program.told[0]!;
  const before = memory.mappings.find(({ startPage, endPage }) => startPage <= page && page < endPage);
  t.is(before?.residentBytes, 4 * MIB);

  const done = program.more();
  process.kill(program.pid, 'SIGUSR1');
  await done;
  const change = await told(reader, target);
  t.true(change.mappings!.length < 10, `${change.mappings!.length} of ${memory.mappings.length} mappings`);
  t.true(change.residentBytes! >= 32 * MIB);
  memory.update(change);
  const mapped = memory.mappings.map(({ residentBytes: _, ...mapping }) => mapping);
  t.deepEqual(mapped, readMappings(program.pid));

  const whole = new ObservedMemory(pageSize());
  whole.update(reader.whole(target));
  const known = ({ mappings, residentBytes }: ObservedMemory) => ({
    mappings: mappings.map(({ residentBytes: _, ...mapping }) => mapping),
    residentBytes,
  });
  t.deepEqual(known(whole), known(memory));
  t.is(reader.change(target), undefined, 'nothing has changed since');
});

test('it is not due again before an update interval, nor before the cost is worth it', async (t) => {
  const program = await startProgram(t, 'tell(0)');
  if (!program) return;
  const target = targetOf(program.pid);
  for (const watched of [
    { targets: [target], attrs: { updateUs: 3_600e6 } },
    // A million targets to share the cost with: each of them has its turn in hours.
    { targets: new Array(1e6).fill(target), attrs: { updateUs: 0 } },
  ]) {
    const reader = new MemoryReader(watched);
    t.truthy(await told(reader, target));
    t.is(reader.change(target), undefined);
  }
});

test('at the end, what has changed is told whether it is due or not', async (t) => {
  const program = await startProgram(
    t,
    `a = own(8)
signal.signal(signal.SIGUSR1, lambda *_: (write(a, 8), os.write(1, b'done\\n')))
tell(0)`,
  );
  if (!program) return;
  const target = targetOf(program.pid);
  const reader = new MemoryReader({ targets: [target], attrs: { updateUs: 3_600e6 } });
  const before = await told(reader, target);
  const done = program.more();
  process.kill(program.pid, 'SIGUSR1');
  await done;
  const [[of, change] = []] = [...reader.lastChanges()];
  t.is(of, target);
  t.true(change!.residentBytes! > before.residentBytes!);
  t.true(change!.resident!.some(([, bytes]) => bytes >= 8 * MIB));
});

test('nothing is told of a process that has ended, of another with its number, and of what is in memory alone', async (t) => {
  const child = start(t, 'sleep', ['60']);
  await once(child, 'spawn');
  const { target, reader } = eagerReader(child.pid);
  const another = { ...target, startTime: '1' };
  t.is(reader.change(another), undefined);
  t.deepEqual(reader.whole(another), {});
  t.is(reader.change({ ...target, pid: 0 }), undefined);
  child.kill('SIGKILL');
  await ended(child);
  t.is(reader.change(target), undefined);
  t.deepEqual(reader.whole(target), {});
});
