import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { pageSize } from '../../src/kernel/page-size.js';
import { start } from './processes.js';

/** One that can fork and map files as it is told; Node cannot. */
const PYTHON = (() => {
  try {
    return execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
})();

const PRELUDE = `
import ctypes, mmap, os, signal, sys
MIB = 1 << 20
def own(mib, kind=mmap.MAP_PRIVATE):
    m = mmap.mmap(-1, mib * MIB, flags=kind | mmap.MAP_ANONYMOUS)
    if hasattr(m, 'madvise') and hasattr(mmap, 'MADV_NOHUGEPAGE'): m.madvise(mmap.MADV_NOHUGEPAGE)
    return m
def write(m, mib):
    for i in range(0, mib * MIB, ${pageSize()}): m[i] = 1
def read(m, mib):
    return sum(m[i] for i in range(0, mib * MIB, ${pageSize()}))
def at(m):
    return ctypes.addressof(ctypes.c_char.from_buffer(m)) // ${pageSize()}
def child(then=None):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGUSR1, lambda *_: (then and then(), os.write(1, b'done\\n')))
        signal.alarm(120)
        while True: signal.pause()
    return pid
def tell(*numbers):
    print(*numbers, flush=True)
`;

/** A running program, and how to hear from it. */
export interface MemoryProgram {
  readonly pid: number;
  /** The numbers that it told first. */
  readonly told: readonly number[];
  /** Waits for one more line of output. */
  more(): Promise<void>;
}

/**
 * Starts a Python program that ends with the test: own(MIB), write, read, at (first page), child and tell are there, and
 * the program keeps waiting for its input's end. Undefined, with a line in the log, where there is no Python.
 */
export async function startProgram(
  t: ExecutionContext,
  program: string,
  argv: readonly string[] = [],
): Promise<MemoryProgram | undefined> {
  if (PYTHON === undefined) {
    t.log('left out: there is no python3');
    t.pass();
    return undefined;
  }
  const running = start(t, PYTHON, ['-c', `${PRELUDE}${program}\nsys.stdin.read()`, ...argv]);
  // By lines: what is printed at once may come in two pieces.
  const lines = createInterface({ input: running.stdout! });
  const [line] = await once(lines, 'line');
  const told = String(line).split(' ').map(Number);
  return {
    pid: running.pid,
    told,
    async more() {
      await once(lines, 'line');
    },
  };
}

/**
 * For `startProgram`: the kernel is told (PR_SET_MM_MAP, prctl(2)) that the arguments or the environment lie in a mapping of
 * that many bytes, which begins with `text`. Tells 0 once that is done.
 */
export const movesArguments = (kind: 'arguments' | 'environment', bytes: number, text: string) => `
stat = open('/proc/self/stat').read().rpartition(')')[2].split()
v = lambda n: int(stat[n - 3])
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
at = libc.mmap(None, ctypes.c_size_t(${bytes}), 3, 0x4022, -1, ctypes.c_long(0))
text = ${text}
ctypes.memmove(at, text, len(text))
fields = [v(26), v(27), v(45), v(46), v(47), v(47), v(28), v(48), v(49), v(50), v(51)]
libc.sbrk.restype = ctypes.c_void_p
fields[5] = libc.sbrk(ctypes.c_long(0)) # the end of the heap is in no file
first = ${kind === 'arguments' ? 7 : 9}
fields[first:first + 2] = [at, at + ${bytes} - 1]
class Map(ctypes.Structure):
    _fields_ = [('fields', ctypes.c_uint64 * 11), ('auxv', ctypes.c_void_p), ('size', ctypes.c_uint32), ('exe', ctypes.c_uint32)]
m = Map((ctypes.c_uint64 * 11)(*fields), None, 0, 0xffffffff)
tell(libc.prctl(35, 14, ctypes.byref(m), ctypes.c_ulong(ctypes.sizeof(m)), 0))`;

/** For `startProgram`: maps a page of a file that many times, which has a path of 3.8 KB. Tells 1 once that is done. */
export const mapsLongPath = (count: number) => `
import shutil, tempfile
root = tempfile.mkdtemp(prefix='pagepulse-test-'); os.chdir(root)
for _ in range(15): os.mkdir('d' * 250); os.chdir('d' * 250)
f = open('f', 'wb+'); f.truncate(4096)
libc = ctypes.CDLL(None)
for _ in range(${count}): libc.mmap(None, ctypes.c_size_t(4096), 1, 1, f.fileno(), ctypes.c_long(0))
os.chdir('/'); shutil.rmtree(root)
tell(1)`;

const ENDS_MAIN_THREAD = `
import threading, time
kept, hot = own(16, mmap.MAP_SHARED), own(32)
write(kept, 16)
def work():
    while True:
        write(hot, 32)
        time.sleep(0.02)
threading.Thread(target=work, daemon=True).start()
signal.alarm(120)
leave = ctypes.CDLL(None).pthread_exit
signal.signal(signal.SIGUSR1, lambda *_: leave(None))
write(hot, 32)
tell(at(kept), at(hot))
`;

/** A program of which 16 MiB are not touched any more, and 32 MiB are written by a second thread all the time. */
export interface ThreadedProgram extends MemoryProgram {
  /** First pages of the one and of the other. */
  readonly keptPage: number;
  readonly hotPage: number;
  /** Ends its main thread alone. */
  endMainThread(): Promise<void>;
}

/** Starts it as `startProgram` does; undefined where there is no Python. */
export async function startThreaded(
  t: ExecutionContext,
  ...argv: readonly string[]
): Promise<ThreadedProgram | undefined> {
  const program = await startProgram(t, ENDS_MAIN_THREAD, argv);
  if (!program) return undefined;
  const [keptPage, hotPage] = program.told as [number, number];
  return {
    ...program,
    keptPage,
    hotPage,
    async endMainThread() {
      process.kill(program.pid, 'SIGUSR1');
      const hasEnded = () => / Z \d/.test(readFileSync(`/proc/${program.pid}/stat`, 'utf8'));
      while (!hasEnded()) await pause(10);
    },
  };
}
