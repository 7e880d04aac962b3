import test from 'ava';
import { HoldingRanges, MappedRanges, readMappings } from '../../src/kernel/maps.js';
import { pageSize } from '../../src/kernel/page-size.js';
import { Smaps } from '../../src/kernel/smaps.js';
import { readStat } from '../../src/kernel/stat.js';
import { readEffectiveUid, readResidentBytes } from '../../src/kernel/status.js';
import { startProgram } from '../helpers/memory-programs.js';

// In names, the kernel escapes line feeds alone. What ends a line elsewhere is a part of the name.

const FORGED = 0x1000_0000;

for (const [what, end] of [
  ['a carriage return', '\\r'],
  ['a line separator', '\\u2028'],
  ['a paragraph separator', '\\u2029'],
]) {
  test(`a file with ${what} and a line of maps in its name is one mapping`, async (t) => {
    const name = `a${end}10000000-20000000 rw-p 00000000 00:00 0 evil`;
    const program = await startProgram(
      t,
      `import tempfile
root = tempfile.mkdtemp(prefix='pagepulse-test-')
f = open(root + '/${name}', 'wb+'); f.truncate(MIB)
kept = mmap.mmap(f.fileno(), MIB); os.unlink(f.name); os.rmdir(root)
tell(at(kept))`,
    );
    if (!program) return;
    const { pid, told } = program;
    const mappings = readMappings(pid);
    const isForged = (startPage: number) => startPage === FORGED / pageSize();
    t.false(mappings.some(({ startPage }) => isForged(startPage)));
    t.regex(mappings.find(({ startPage }) => startPage === told[0])!.name, /10000000-20000000 .* evil/s);
    const [mapped, holding, smaps] = [new MappedRanges(), new HoldingRanges(), new Smaps()];
    t.false(mapped.pairs.subarray(0, mapped.read(pid)).some(isForged));
    t.false(holding.pairs.subarray(0, holding.read(pid)).some(isForged));
    t.is(smaps.read(pid), mappings.length);
  });
}

test('a process that names itself like the lines of its status changes neither its user nor its memory', async (t) => {
  for (const name of ['\\rUid:\\t7\\t7', '\\rVmRSS: 7 kB', '\\rState:\\tZ']) {
    const program = await startProgram(t, `ctypes.CDLL(None).prctl(15, b'${name}'); tell(0)`);
    if (!program) return;
    t.regex(readStat(program.pid).comm, /^\r/);
    t.is(readEffectiveUid(program.pid), process.geteuid!());
    t.true(readResidentBytes(program.pid)! > 2 ** 20);
  }
});
