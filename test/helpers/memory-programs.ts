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
