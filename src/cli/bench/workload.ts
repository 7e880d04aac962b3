import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PagepulseError } from '../../core/errors.js';
import { readMappings } from '../../kernel/maps.js';
import { pageSize } from '../../kernel/page-size.js';
import { fieldOf, LIMITS, readTextFile } from '../../kernel/text-file.js';
import type { ProcessRequest } from '../../processes/process-request.js';
import type { Pace, Rounds } from './workload-process.js';

const PROCESS = fileURLToPath(new URL('./workload-process.js', import.meta.url));
/** Of each process with memory of its own, beside Node itself. */
export const WORKLOAD_MIB = 64;
/** Processes that only share Node's code and libraries with the others. */
const SHARERS = 4;

/** Makes glibc request huge pages with madvise (since 2.35). */
const REQUEST_HUGE_PAGES = 'glibc.malloc.hugetlb=1';

/** The benchmark's own processes, with known memory: `hot` and `huge` keep writing theirs. */
export class Workload implements AsyncDisposable {
  readonly hot = new WorkloadProcess(WORKLOAD_MIB, 'hot');
  readonly huge = new WorkloadProcess(WORKLOAD_MIB, 'hot', {
    GLIBC_TUNABLES: [process.env.GLIBC_TUNABLES, REQUEST_HUGE_PAGES].filter(Boolean).join(':'),
  });
  readonly cold = new WorkloadProcess(WORKLOAD_MIB, 'cold');
  readonly sharers = Array.from({ length: SHARERS }, () => new WorkloadProcess(0, 'cold'));
  readonly #processes = [this.hot, this.huge, this.cold, ...this.sharers];

  /** @throws PagepulseError `NO_PROCESS` if one does not start; the signal's reason */
  static async start(signal: AbortSignal): Promise<Workload> {
    const workload = new Workload();
    try {
      await Promise.all(workload.#processes.map((child) => child.nextAnswer(signal)));
      return workload;
    } catch (error) {
      await workload[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((child) => child.end()));
  }
}

export class WorkloadProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(
    readonly mib: number,
    use: 'hot' | 'cold',
    env: NodeJS.ProcessEnv = {},
  ) {
    this.#child = fork(PROCESS, [String(mib), use], {
      env: { ...process.env, ...env },
      execArgv: [],
      // A terminal sends Ctrl-C to its whole process group; the parent ends these instead.
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#exited = Promise.race([once(this.#child, 'exit'), once(this.#child, 'error')]).catch(() => {});
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** With the range of its own memory: the smallest anonymous mapping that is large enough. */
  request(): ProcessRequest {
    const bytes = pageSize();
    const pages = (this.mib * 2 ** 20) / bytes;
    const [mapping] = readMappings(this.pid)
      .filter(({ name, permissions }) => name === '' && permissions === 'rw-p')
      .filter(({ startPage, endPage }) => endPage - startPage >= pages)
      .sort((a, b) => a.endPage - a.startPage - (b.endPage - b.startPage));
    if (!mapping) throw broken('has no mapping as large as its memory');
    const [startAddress, endAddress] = [mapping.startPage * bytes, mapping.endPage * bytes];
    return { pid: this.pid, ranges: [{ startAddress, endAddress }] };
  }

  /** The share of its own memory in transparent huge pages, 0 to 1. */
  hugeShare(): number {
    const sums = readTextFile(`/proc/${this.pid}/smaps_rollup`, LIMITS.smaps_rollup);
    return Number.parseInt(fieldOf(sums, 'AnonHugePages') ?? '0', 10) / 1_024 / this.mib;
  }

  async setPace(pace: Pace, signal: AbortSignal): Promise<void> {
    this.#child.send(pace);
    await this.nextAnswer(signal);
  }

  async rounds(signal: AbortSignal): Promise<Rounds> {
    this.#child.send('rounds');
    return this.nextAnswer(signal);
  }

  async nextAnswer(signal: AbortSignal): Promise<Rounds> {
    const exited = this.#exited.then(() => {
      throw broken('exited by itself');
    });
    exited.catch(() => {}); // after an answer, its exit is not a failure
    const [answer] = await Promise.race([once(this.#child, 'message', { signal }), exited]);
    return answer;
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}

function broken(how: string): PagepulseError {
  return new PagepulseError(
    'NO_PROCESS',
    `a process of the built-in workload ${how}; check that 1 GiB of memory is free`,
  );
}
