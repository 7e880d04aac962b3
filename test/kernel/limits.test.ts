import test from 'ava';
import { environHolds, readCmdline, readTitle } from '../../src/kernel/arguments.js';
import { HoldingRanges, MappedRanges, readMappings } from '../../src/kernel/maps.js';
import { Smaps } from '../../src/kernel/smaps.js';
import { LIMITS } from '../../src/kernel/text-file.js';
import { mapsLongPath, movesArguments, startProgram } from '../helpers/memory-programs.js';

// Any user can make the files of a process as long as they like: what is read of them is limited.

const GIB = 2 ** 30;

test('a command line of 100 GiB is cut after 64 KiB, and says so', async (t) => {
  const program = await startProgram(
    t,
    movesArguments('arguments', 100 * GIB, "b'one\\0two' + b'o' * 100_000"),
  );
  if (!program) return;
  t.deepEqual(program.told, [0]);
  const [first, second, ...more] = readCmdline(program.pid);
  t.is(first, 'one');
  t.is(second?.length, LIMITS.cmdline - 'one\0'.length + 1);
  t.regex(second!, /^twoo+…$/);
  t.deepEqual(more, []);
  t.is(readTitle(program.pid), `one ${second}`);
});

test('a command line of many words is cut as well', async (t) => {
  const program = await startProgram(t, movesArguments('arguments', 100 * GIB, "b'a\\0' * 100_000"));
  if (!program) return;
  const words = readCmdline(program.pid);
  t.is(words.length, 4_096);
  t.is(words.at(-1), 'a…');
  t.true(words.slice(0, -1).every((word) => word === 'a'));
});

test('an environment of 100 GiB is searched up to its limit', async (t) => {
  // Past the first piece, and across the border of two.
  const text =
    "b'A=' + b'x' * (65_536 - 20) + b'\\0MARK=across-pieces\\0' + b'y' * 1_000_000 + b'\\0FAR=1\\0'";
  const program = await startProgram(t, movesArguments('environment', 100 * GIB, text));
  if (!program) return;
  t.true(environHolds(program.pid, 'MARK=across-pieces'));
  t.false(environHolds(program.pid, 'MARK=another'));
  t.false(environHolds(program.pid, 'FAR=1'));
});

test('more text of mappings than the limit is refused by every reader, with what to do', async (t) => {
  const program = await startProgram(t, mapsLongPath(20_000));
  if (!program) return;
  const { pid } = program;
  const reads = {
    maps: [() => readMappings(pid), () => new MappedRanges().read(pid), () => new HoldingRanges().read(pid)],
    smaps: [() => new Smaps().read(pid)],
  };
  for (const [file, readers] of Object.entries(reads)) {
    for (const read of readers) {
      t.like(t.throws(read), {
        code: 'TOO_LARGE',
        message:
          `cannot read the mappings of process ${pid}: too many mappings to read within ` +
          `${file === 'maps' ? 16 : 64} MiB of /proc/${pid}/${file}; exclude this process`,
      });
    }
  }
});

test('as many mappings as the kernel allows are read', async (t) => {
  const program = await startProgram(
    t,
    `kept = own(256)
libc = ctypes.CDLL(None)
at = ctypes.addressof(ctypes.c_char.from_buffer(kept))
n = 0
while n < 32_700 and libc.mprotect(ctypes.c_void_p(at + n * 8192), 4096, 1) == 0: n += 1
tell(n)`,
  );
  if (!program) return;
  const { pid, told } = program;
  t.true(told[0]! > 30_000);
  const count = readMappings(pid).length;
  t.true(count > 2 * told[0]!);
  t.is(new Smaps().read(pid), count);
  t.true(new MappedRanges().read(pid) > 0);
});
