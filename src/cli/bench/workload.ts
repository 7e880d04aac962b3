import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PagepulseError } from '../../core/errors.js';
import { readMappings } from '../../kernel/maps.js';
import { pageSize } from '../../kernel/page-size.js';
import { fieldOf, LIMITS, readTextFile } from '../../kernel/text-file.js';
import type { AddressRange, ProcessRequest } from '../../processes/process-request.js';
import type { Pace, Rounds } from './workload-process.js';

const PROCESS = fileURLToPath(new URL('./workload-process.js', import.meta.url));
const MIB = 2 ** 20;
/** What each of the processes with memory of its own has, beside Node itself. */
export const WORKLOAD_MIB = 64;
/** Processes that have nothing but Node's own code and libraries, and share these with all others. */
const SHARERS = 4;

/** GNU's C library asks for huge pages with it, where the kernel makes them for those who ask (since 2.35). */
const ASK_FOR_HUGE_PAGES = 'glibc.malloc.hugetlb=1';

/** The benchmark's own processes, whose memory is known: `hot` and `huge` write theirs all the time. */
export class Workload implements AsyncDisposable {
  private constructor(
    readonly hot: WorkloadProcess,
    readonly huge: WorkloadProcess,
    readonly cold: WorkloadProcess,
    readonly sharers: readonly WorkloadProcess[],
  ) {}

  /** @throws PagepulseError `NO_PROCESS` where one does not start; the signal's reason */
  static async start(signal: AbortSignal): Promise<Workload> {
    const hugePages = [process.env.GLIBC_TUNABLES, ASK_FOR_HUGE_PAGES].filter(Boolean).join(':');
    const hot = new WorkloadProcess(WORKLOAD_MIB, 'hot');
    const huge = new WorkloadProcess(WORKLOAD_MIB, 'hot', { GLIBC_TUNABLES: hugePages });
    const cold = new WorkloadProcess(WORKLOAD_MIB, 'cold');
    const sharers = Array.from({ length: SHARERS }, () => new WorkloadProcess(0, 'cold'));
    const workload = new Workload(hot, huge, cold, sharers);
    try {
      await Promise.all(workload.#processes.map((child) => child.told(signal)));
      return workload;
    } catch (error) {
      await workload[Symbol.asyncDispose]();
      throw error;
    }
  }

  get #processes(): readonly WorkloadProcess[] {
    return [this.hot, this.huge, this.cold, ...this.sharers];
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
    const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const;
    this.#child = fork(PROCESS, [String(mib), use], {
      env: { ...process.env, ...env },
      execArgv: [],
      // A terminal sends Ctrl-C to its whole group: these are ended by who started them.
      detached: true,
      stdio: [...stdio],
    });
    this.#exited = Promise.race([once(this.#child, 'exit'), once(this.#child, 'error')]).catch(() => {});
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Where its own memory lies: of the mappings without a name that are large enough, the smallest. */
  request(): ProcessRequest {
    const bytes = pageSize();
    const pages = (this.mib * MIB) / bytes;
    const [mapping] = readMappings(this.pid)
      .filter(({ name, permissions }) => name === '' && permissions === 'rw-p')
      .filter(({ startPage, endPage }) => endPage - startPage >= pages)
      .sort((a, b) => a.endPage - a.startPage - (b.endPage - b.startPage));
    if (!mapping) throw lost('has no mapping as large as its memory');
    const range: AddressRange = {
      startAddress: mapping.startPage * bytes,
      endAddress: mapping.endPage * bytes,
    };
    return { pid: this.pid, ranges: [range] };
  }

  /** The share of its own memory that the kernel gave it in transparent huge pages, 0 .. 1. */
  hugeShare(): number {
    const sums = readTextFile(`/proc/${this.pid}/smaps_rollup`, LIMITS.smaps_rollup);
    return Number.parseInt(fieldOf(sums, 'AnonHugePages') ?? '0', 10) / 1_024 / this.mib;
  }

  async setPace(pace: Pace, signal: AbortSignal): Promise<void> {
    this.#child.send(pace);
    await this.told(signal);
  }

  async rounds(signal: AbortSignal): Promise<Rounds> {
    this.#child.send('rounds');
    return this.told(signal);
  }

  /** What it tells next. */
  async told(signal: AbortSignal): Promise<Rounds> {
    const ended = this.#exited.then(() => {
      throw lost('ended by itself');
    });
    ended.catch(() => {}); // once it has answered, its end is no failure
    const [answer] = await Promise.race([once(this.#child, 'message', { signal }), ended]);
    return answer;
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}

function lost(how: string): PagepulseError {
  return new PagepulseError(
    'NO_PROCESS',
    `a process of the benchmark's own workload ${how}; see that 1 GiB of memory is free`,
  );
}
