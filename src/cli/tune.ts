import type { Command } from 'commander';
import type { SnapshotColumns } from '../core/snapshot-columns.js';
import { completeGoal, type TuningGoal, type TuningStep } from '../core/tuning.js';
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
import type { Session, SessionEvent } from '../session/session.js';
import { addWatchOptions, goalOf, type WatchOptions, withExamples } from './options.js';
import { ExitStatus, note, write } from './output.js';
import { planOf, runSession } from './run-session.js';

/** Steps that change nothing are shown this often. */
const SHOW_US = 2_000_000;

/** What settles has done so after this many changes. */
const MAX_MOVES = 20;

export function define(command: Command): void {
  withExamples(addWatchOptions(command), 'tune --pid 4242', 'tune --max-cpu 0.5% -- node server.js').action(
    tune,
  );
}

async function tune(command: readonly string[], options: WatchOptions): Promise<void> {
  const plan = planOf({ ...options, auto: true }, command, 'pagepulse tune --pid 4242');
  const goal = completeGoal(goalOf(options));
  const aim = { done: 'found', first: 'step', aggrs: goal.aggrs };
  await runSession({ ...plan, aim }, async (session, events) => {
    const outcome = await new Tuning(session, goal).run(events);
    if (outcome !== 'found') return outcome === 'stopped';
    plan.stopping.quit(); // the command is no longer needed
    throw new ExitStatus(0);
  });
}

/** Shows automatic intervals at work. */
class Tuning {
  readonly #settling: Settling;
  readonly #start: Session['monitor']['attrs'];
  /** The latest snapshot of each process, and those at the step shown last. */
  readonly #latest = new Map<number, SnapshotColumns>();
  #shown = new Map<number, SnapshotColumns>();
  #shownUs = Number.NEGATIVE_INFINITY;
  #steps = 0;
  #last: TunedStep | undefined;
  #inForce: TunedStep['inForce'];
  #costPercent: number | null = null;
  #isSettled = false;

  constructor(
    readonly session: Session,
    readonly goal: TuningGoal,
  ) {
    const { attrs } = session.monitor;
    this.#start = attrs;
    this.#settling = new Settling(attrs.sampleUs);
    this.#inForce = { attrs, reason: 'auto' };
  }

  /** Prints each step, and in the end the intervals to use. */
  async run(events: AsyncIterable<SessionEvent>): Promise<'found' | 'stopped' | 'nothing'> {
    const stepUs = this.goal.aggrs * this.#start.aggrUs;
    note(`looking for suitable intervals; the first step takes ${formatDuration(stepUs)}, Ctrl-C to stop`);
    write(`${tuningHeading()}\n`);
    for await (const event of events) {
      if (event.type === 'attrs') this.#inForce = event.change;
      else if (event.type === 'tuned') this.#take(event.step);
      else if (event.type === 'snapshot') {
        const { target, columns, stats } = event.snapshot;
        this.#latest.set(target.id, columns);
        this.#costPercent = stats.recentCpuPercent;
        this.#inForce = stats.inForce;
      }
    }
    const { reason } = await this.session.ended;
    return this.#conclude(reason === 'targets ended');
  }

  /** The snapshots of the aggregation interval that ends with the step have been read. */
  #take(step: TuningStep): void {
    if (this.#isSettled) return;
    this.#steps++;
    const { attrs } = this.session.monitor;
    const hasMoved = this.#settling.add(step, attrs.sampleUs);
    this.#isSettled = this.#settling.isSettled(this.goal, step.atUs) || this.#settling.moves > MAX_MOVES;
    const pairs = [...this.#latest].flatMap(([id, now]) => {
      const before = this.#shown.get(id);
      return before ? [[before, now] as const] : [];
    });
    const overlap = this.#shown.size === 0 ? undefined : overlapOf(pairs);
    this.#last = { step, inForce: this.#inForce, costPercent: this.#costPercent, overlap };
    if (hasMoved || this.#isSettled || step.atUs - this.#shownUs >= SHOW_US) {
      write(`${tuningRow(this.#steps, this.#last)}\n`);
      this.#shown = new Map(this.#latest);
      this.#shownUs = step.atUs;
    }
    if (this.#isSettled) void this.session.stop();
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
