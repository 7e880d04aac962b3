import type { Command } from 'commander';
import type { SnapshotColumns } from '../core/snapshot-columns.js';
import { completeGoal, type TuningGoal, type TuningStep } from '../core/tuning.js';
import type { Monitor } from '../engine/monitor.js';
import {
  overlapOf,
  Settling,
  type TunedStep,
  tunedFlags,
  tuningHeading,
  tuningReason,
  tuningRow,
} from '../report/tuning.js';
import { formatDuration } from '../report/units.js';
import { ExitStatus, note, tellLost } from './failure.js';
import { addWatchOptions, goalOf, requireTargets, type WatchOptions } from './options.js';
import { requireOutput, write } from './output.js';
import { Stopping } from './signals.js';
import { watching } from './watching.js';

/** Steps that change nothing are shown this often. */
const SHOW_US = 2_000_000;

/** By then, what settles has. */
const MAX_MOVES = 20;

export function addTune(program: Command): void {
  addWatchOptions(program.command('tune'))
    .description('find intervals that suit a process, and say why')
    .addHelpText(
      'after',
      '\nExamples:\n  pagepulse tune --pid 4242\n  pagepulse tune --max-cpu 0.5% -- node server.js',
    )
    .action(tune);
}

async function tune(command: readonly string[], options: WatchOptions): Promise<void> {
  requireTargets(options, command, 'pagepulse tune --pid 4242');
  const goal = completeGoal(goalOf(options));
  const stopping = new Stopping();
  const aim = { done: 'found', first: 'step', aggrs: goal.aggrs };
  const plan = { options: { ...options, auto: true }, command, stopping, aim };
  await watching(plan, async ({ monitor }) => {
    const outcome = await new Tuning(monitor, goal).run();
    if (outcome !== 'found') return outcome === 'stopped';
    stopping.quit(); // the command has done its part
    throw new ExitStatus(0);
  });
}

/** Watches `auto` at work. */
class Tuning {
  readonly #settling: Settling;
  readonly #start: Monitor['attrs'];
  /** The latest picture of each process, and those at the step shown last. */
  readonly #latest = new Map<number, SnapshotColumns>();
  #shown = new Map<number, SnapshotColumns>();
  #shownUs = Number.NEGATIVE_INFINITY;
  #steps = 0;
  #last: TunedStep | undefined;
  #inForce: TunedStep['inForce'];
  #costPercent: number | null = null;
  #isSettled = false;

  constructor(
    readonly monitor: Monitor,
    readonly goal: TuningGoal,
  ) {
    this.#start = monitor.attrs;
    this.#settling = new Settling(monitor.attrs.sampleUs);
    this.#inForce = { attrs: monitor.attrs, reason: 'auto' };
  }

  /** Prints each step, and in the end what to use. */
  async run(): Promise<'found' | 'stopped' | 'nothing'> {
    const { monitor } = this;
    monitor.on('attrs', (change) => {
      this.#inForce = change;
    });
    monitor.on('tuned', (step) => this.#take(step));
    monitor.on('detached', (target, reason, message) => {
      if (reason === 'failed') note(tellLost(target, message));
    });
    const stepUs = this.goal.aggrs * this.#start.aggrUs;
    note(`looking for intervals that suit; the first step takes ${formatDuration(stepUs)}, Ctrl-C ends it`);
    write(`${tuningHeading()}\n`);
    for await (const { target, columns, stats } of monitor) {
      this.#latest.set(target.id, columns);
      this.#costPercent = stats.recentCpuPercent;
      this.#inForce = stats.inForce;
    }
    requireOutput();
    const { reason } = await monitor.ended;
    return this.#conclude(reason === 'targets ended');
  }

  /** The snapshots of the interval that a step ends have been read when it is told. */
  #take(step: TuningStep): void {
    if (this.#isSettled) return;
    this.#steps++;
    const { attrs } = this.monitor;
    const hasMoved = this.#settling.add(step, attrs.sampleUs);
    this.#isSettled = this.#settling.isSettled(this.goal, step.atUs) || this.#settling.moves > MAX_MOVES;
    const overlap =
      this.#shown.size === 0
        ? undefined
        : overlapOf([...this.#latest].flatMap(([id, now]) => pair(this.#shown.get(id), now)));
    this.#last = { step, inForce: this.#inForce, costPercent: this.#costPercent, overlap };
    if (hasMoved || this.#isSettled || step.atUs - this.#shownUs >= SHOW_US) {
      write(`${tuningRow(this.#steps, this.#last)}\n`);
      this.#shown = new Map(this.#latest);
      this.#shownUs = step.atUs;
    }
    if (this.#isSettled) void this.monitor.stop();
  }

  #conclude(hasEnded: boolean): 'found' | 'stopped' | 'nothing' {
    const last = this.#last;
    if (!last) return 'nothing';
    const isFound = this.#isSettled && this.#settling.moves <= MAX_MOVES;
    write(`\nuse ${tunedFlags(last.inForce.attrs, this.#start)}\n`);
    write(`because ${tuningReason(last, this.goal)}\n`);
    if (!isFound) {
      const until = this.#isSettled
        ? `after ${MAX_MOVES} changes`
        : hasEnded
          ? 'when the process ended'
          : 'when it was stopped';
      write(`This had not settled ${until}: take it as a first guess, or watch with --auto\n`);
    }
    return isFound ? 'found' : 'stopped';
  }
}

function pair<T>(before: T | undefined, now: T): (readonly [T, T])[] {
  return before === undefined ? [] : [[before, now]];
}
