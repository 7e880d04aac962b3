import { appendFileSync } from 'node:fs';
import { Monitor, type SyntheticPhase, type SyntheticSpec } from '../src/index.js';
import { endLine, headerLine, type RecordedMapping, snapshotLine } from '../src/record/format.js';

const MIB = 2 ** 20;
const HEAP = 0x55d0_c0a0_0000;
const ARENA = 0x7f12_a000_0000;
const STACK = 0x7ffd_1200_0000;

/**
 * The address space of a server that was never there: a heap that is read again and again, an arena of 2 GiB through which
 * a window of 96 MiB moves, libraries, a stack. What the documentation's pictures are made of, the same every time.
 */
const SERVER: readonly RecordedMapping[] = [
  mapping(HEAP, 160 * MIB, 'rw-p', '[heap]'),
  mapping(ARENA, 2_048 * MIB, 'rw-s', '/dev/shm/buffers'),
  mapping(ARENA + 2_080 * MIB, 24 * MIB, 'r-xp', '/usr/lib/libserver.so.3'),
  mapping(ARENA + 2_104 * MIB, 2 * MIB, 'r-xp', '/usr/lib/libc.so.6'),
  mapping(STACK, 8 * MIB, 'rw-p', '[stack]'),
];

function mapping(start: number, sizeBytes: number, permissions: string, name: string): RecordedMapping {
  return [start.toString(16), (start + sizeBytes).toString(16), permissions, name];
}

function server(): SyntheticSpec {
  const phases = Array.from({ length: 40 }, (_, i): SyntheticPhase => {
    const isBackup = i >= 26 && i < 32;
    return {
      lastsUs: 1e6,
      mappings: SERVER.map(([start, end]) => {
        const startAddress = Number.parseInt(start, 16);
        return { startAddress, sizeBytes: Number.parseInt(end, 16) - startAddress };
      }),
      accesses: [
        { startAddress: HEAP + 20 * MIB, sizeBytes: 40 * MIB, share: 1 },
        { startAddress: HEAP + 60 * MIB, sizeBytes: 60 * MIB, share: 0.3 },
        { startAddress: ARENA + (200 + 40 * i) * MIB, sizeBytes: 96 * MIB, share: 0.85 },
        ...(isBackup ? [{ startAddress: ARENA, sizeBytes: 1_000 * MIB, share: 0.45 }] : []),
        { startAddress: ARENA + 1_900 * MIB, sizeBytes: 64 * MIB, share: i % 10 < 4 ? 0.7 : 0 },
        { startAddress: ARENA + 2_084 * MIB, sizeBytes: 12 * MIB, share: 0.6 },
        { startAddress: STACK + 7 * MIB, sizeBytes: MIB, share: 1 },
      ],
    };
  });
  return { name: 'server', phases: phases as [SyntheticPhase, ...SyntheticPhase[]], endsUs: 40e6 };
}

/** Writes that recording, of 40 s and with the names of its mappings. */
export async function writeExample(path: string): Promise<void> {
  const monitor = await Monitor.start({
    targets: [{ synthetic: server() }],
    check: 'synthetic',
    clock: 'virtual',
    attrs: { sampleUs: 5_000, aggrUs: 100_000 },
    seed: 7,
    queueLimit: 10_000,
  });
  const { attrs, targets } = monitor;
  const lines = [
    headerLine({
      tool: 'pagepulse',
      startedAt: '2026-01-31T12:00:00.000Z',
      startedMonotonicNs: '0',
      kernel: '',
      pageSize: 4_096,
      check: 'synthetic',
      attrs,
    }),
    JSON.stringify({ type: 'target', ...targets[0], pid: 4242, mappings: SERVER }),
  ];
  for await (const snapshot of monitor) lines.push(snapshotLine(snapshot));
  const { reason, stats } = await monitor.ended;
  lines.push(endLine(reason, stats));
  appendFileSync(path, `${lines.join('\n')}\n`);
}
