import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const MOST_SAID = 1_000;

/** A workload that was started: what it prints, and its end. */
export class Workload {
  /** The lines so far, parsed: its truth, phase by phase, and what else it tells. */
  readonly lines: { pid: number; atNs: string; rounds?: number; ranges?: unknown }[] = [];
  readonly #child: ChildProcess;
  #told: () => void = () => {};
  /** The end of what it has printed as errors. */
  #said = '';

  /** Starts it, and resolves when the process itself has told what it does; those that it forks tell before it. */
  static async start(command: string): Promise<Workload> {
    const workload = new Workload(command);
    const hasTold = () => workload.lines.some(({ pid }) => pid === workload.#child.pid);
    const ended = once(workload.#child, 'close').then(() => {
      if (!hasTold()) throw new Error(`\`${command}\` ended before it told anything: ${workload.#said}`);
    });
    await Promise.race([workload.#next(hasTold), ended]);
    ended.catch(() => {});
    return workload;
  }

  private constructor(readonly command: string) {
    // `exec`: the process is the workload, not a shell that waits for it.
    this.#child = spawn('bash', ['-c', `exec ${command}`], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#said = `${this.#said}${text}`.slice(-MOST_SAID);
    });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      this.lines.push(JSON.parse(line));
      this.#told();
    });
  }

  /** The processes it told of: itself, and those it has forked. */
  get pids(): number[] {
    return [...new Set(this.lines.map(({ pid }) => pid))];
  }

  /** Passes over its hot memory so far, and when it was asked. */
  async rounds(): Promise<{ rounds: number; atMs: number }> {
    const before = this.lines.length;
    const said = () => this.lines.slice(before).find((line) => line.rounds !== undefined);
    this.#child.kill('SIGUSR1');
    await this.#next(() => said() !== undefined);
    const { rounds, atNs } = said()!;
    return { rounds: rounds!, atMs: Number(atNs) / 1e6 };
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }

  async #next(isThere: () => boolean): Promise<void> {
    while (!isThere()) {
      await new Promise<void>((resolve) => {
        this.#told = resolve;
      });
    }
  }
}
