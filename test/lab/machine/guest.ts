import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import type { SampleCost } from '../../../bench/sample-cost.js';
import { ROOT } from '../kernel/image.js';
import { compileWorkloads } from '../workloads/compile.js';
import { boot, CONSOLE_FILE, CPUS, ENDED_FILE } from './boot.js';
import {
  type Answer,
  answerFile,
  type Compared,
  type CompareRequest,
  type ObservedWorkloads,
  type ObserveRequest,
  READY_FILE,
  REQUEST_FILE,
  type Request,
  requestFile,
  type Watched,
  type WatchRequest,
} from './protocol.js';

const POLL_MS = 50;
/**
 * For booting and for whatever a request does besides watching: on a slow machine it takes minutes to start twenty busy
 * workloads.
 */
const PATIENCE_SECONDS = 400;

/** Which guest a test is to use: the folder of the one that was booted for all. */
const GUEST_VARIABLE = 'PAGEPULSE_LAB_GUEST';

/**
 * A guest with the workloads in its PATH, this checkout's `pagepulse`, and an agent that does what it is asked. It is
 * spoken to through files: so the process that boots it and those that run the tests need not be the same.
 */
export class Guest {
  /** The guest that was booted for all tests. */
  static shared(): Guest {
    const folder = process.env[GUEST_VARIABLE];
    if (folder === undefined) throw new Error('there is no guest: run `npm run test:lab -- WORD`');
    return new Guest(folder);
  }

  private constructor(readonly folder: string) {}

  /**
   * Boots a guest for as long as `use` takes, also for the processes that it starts.
   *
   * @throws Error with the command that installs what is missing on this machine
   */
  static async during<T>(use: (guest: Guest) => Promise<T>): Promise<T> {
    const folder = mkdtempSync(join(tmpdir(), 'pagepulse-lab-'));
    const remove = () => rmSync(folder, { recursive: true, force: true });
    process.once('exit', remove);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => process.exit(1));
    const bin = join(folder, 'out/bin');
    mkdirSync(bin, { recursive: true });
    compileWorkloads(bin);
    writeFileSync(join(folder, 'out/start'), start());
    const qemu = boot(folder);
    process.env[GUEST_VARIABLE] = folder;
    try {
      const guest = new Guest(folder);
      await guest.#waitFor(READY_FILE, PATIENCE_SECONDS);
      return await use(guest);
    } finally {
      qemu.kill('SIGKILL');
      if (qemu.exitCode === null && qemu.signalCode === null) await once(qemu, 'exit');
      remove();
    }
  }

  /** What a shell script prints; it is run as root, and fails where a command of it does. */
  async shell(script: string, seconds = 0): Promise<string> {
    return (await this.#ask({ kind: 'shell', script }, seconds)) as string;
  }

  async watch(request: WatchRequest): Promise<Watched> {
    return (await this.#ask({ kind: 'watch', ...request }, request.seconds)) as Watched;
  }

  async compare(request: CompareRequest): Promise<Compared> {
    return (await this.#ask({ kind: 'compare', ...request }, request.seconds)) as Compared;
  }

  async observe(request: ObserveRequest): Promise<ObservedWorkloads> {
    return (await this.#ask({ kind: 'observe', ...request }, request.seconds)) as ObservedWorkloads;
  }

  /** What a sample costs, beside its floor. */
  async sampleCost(): Promise<SampleCost[]> {
    return (await this.#ask({ kind: 'sample' }, 600)) as SampleCost[];
  }

  /** Text of a file that something in the guest has left in /out. */
  read(name: string): string {
    return readFileSync(join(this.folder, 'out', name), 'utf8');
  }

  async #ask(request: Request, seconds: number): Promise<unknown> {
    const id = readdirSync(join(this.folder, 'out')).filter((name) => REQUEST_FILE.test(name)).length;
    const path = join(this.folder, 'out', requestFile(id));
    writeFileSync(`${path}.new`, JSON.stringify(request));
    renameSync(`${path}.new`, path);
    await this.#waitFor(answerFile(id), seconds + PATIENCE_SECONDS);
    const answer = JSON.parse(this.read(answerFile(id))) as Answer;
    if (answer.ok) return answer.value;
    throw new Error(answer.message);
  }

  async #waitFor(name: string, seconds: number): Promise<void> {
    const deadline = performance.now() + seconds * 1_000;
    while (!existsSync(join(this.folder, 'out', name))) {
      const hasEnded = existsSync(join(this.folder, ENDED_FILE));
      if (hasEnded) throw new Error(`the guest has ended:\n${this.#lastLines()}`);
      if (performance.now() > deadline) {
        throw new Error(`the guest gave no ${name} in ${seconds} s:\n${this.#lastLines()}`);
      }
      await pause(POLL_MS);
    }
  }

  /** What it has printed last. */
  #lastLines(): string {
    const printed = stripVTControlCharacters(readFileSync(join(this.folder, CONSOLE_FILE), 'utf8'));
    return printed.replaceAll('\r', '').split('\n').slice(-40).join('\n');
  }
}

/**
 * What the guest starts with. `churn` wakes on each processor every 300 us, which makes the emulator drop its cached
 * translations: accesses through one that is cached do not show in the page tables (docs/lab.md).
 */
function start(): string {
  return `
export HOME=/root TERM=dumb LANG=C.UTF-8 IN_LAB=1
export PATH=/out/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export DIST=${ROOT}dist
cd ${ROOT}
for cpu in $(seq 0 ${CPUS - 1}); do taskset -c $cpu churn & done
exec node $DIST/test/lab/agent/main.js
`;
}
