import type { Command } from 'commander';
import { renderPicture, renderPlain } from '../report/picture.js';
import { LiveView } from '../session/process-view.js';
import type { Session, SessionEvent } from '../session/session.js';
import { addWatchOptions, type WatchOptions, withExamples } from './options.js';
import { Alarm, isBehind, write } from './output.js';
import { planOf, runSession } from './run-session.js';
import { colourOf, isScreen, Screen } from './terminal/screen.js';

/** Redrawn at most this often on a terminal, printed at most this often elsewhere. */
const REDRAW_MS = 100;
const PRINT_MS = 1_000;
/** The time until the first snapshot is updated this often. */
const COUNT_DOWN_MS = 500;

export function define(command: Command): void {
  withExamples(addWatchOptions(command), 'watch --pid 4242', 'watch -- node server.js').action(watch);
}

async function watch(command: readonly string[], options: WatchOptions): Promise<void> {
  const plan = planOf(options, command, 'pagepulse watch --pid 4242');
  await runSession({ ...plan, draws: true }, async (session, events) => {
    await showPicture(session, events, plan.stopping.quit);
    return (await session.ended).stats.snapshots > 0;
  });
}

/**
 * Shows the latest snapshot of each process until the session ends.
 *
 * @param onQuit called when the user has quit: it must stop the session
 */
export async function showPicture(
  session: Session,
  events: AsyncIterable<SessionEvent>,
  onQuit: () => void,
): Promise<void> {
  const picture = new Picture(session, onQuit);
  try {
    for await (const event of events) picture.take(event);
    picture.finish();
  } finally {
    picture.close();
  }
}

/** On a terminal or as plain blocks of text; before the first snapshot, what is known of the processes without. */
class Picture {
  readonly #screen: Screen | undefined;
  readonly #colour = colourOf(process.env, process.stdout.isTTY === true);
  readonly #views = new Map<number, LiveView>();
  readonly #alarm = new Alarm(() => this.#draw());
  #drawnMs = Number.NEGATIVE_INFINITY;

  constructor(
    readonly session: Session,
    onQuit: () => void,
  ) {
    if (!isScreen()) return;
    this.#screen = new Screen(onQuit, () => this.#draw());
    this.#alarm.set(0);
  }

  take(event: SessionEvent): void {
    if (event.type === 'attached') this.#views.set(event.target.id, new LiveView(event.target));
    else if (event.type === 'snapshot') this.#views.get(event.snapshot.target.id)!.snapshot = event.snapshot;
    else if (event.type === 'detached') this.#views.get(event.target.id)!.hasEnded = true;
    if (event.type !== 'attached' && event.type !== 'snapshot') return;
    this.#alarm.set(this.#drawnMs + (this.#screen ? REDRAW_MS : PRINT_MS) - performance.now());
  }

  /** Shows the last state once more if a file or pipe would miss it. */
  finish(): void {
    if (!this.#screen && this.#alarm.isSet) this.#print();
  }

  close(): void {
    this.#alarm.close();
    this.#screen?.close();
  }

  #draw(): void {
    if (this.#screen) this.#drawOn(this.#screen);
    else if (isBehind()) {
      this.#alarm.clear();
      this.#alarm.set(PRINT_MS);
    } else this.#print();
  }

  #drawOn(screen: Screen): void {
    const views = this.#refreshed();
    const { width, height } = screen;
    const dueInUs = this.session.firstSnapshotInUs;
    screen.draw(renderPicture(views, { width, height, colour: this.#colour, hint: 'q quits', dueInUs }));
    if (views.every(({ snapshot }) => snapshot === undefined)) this.#alarm.set(COUNT_DOWN_MS);
  }

  #print(): void {
    write(`${renderPlain(this.#refreshed(), { dueInUs: this.session.firstSnapshotInUs })}\n`);
  }

  #refreshed(): LiveView[] {
    this.#alarm.clear();
    this.#drawnMs = performance.now();
    const views = [...this.#views.values()];
    for (const view of views) view.refresh();
    return views;
  }
}
