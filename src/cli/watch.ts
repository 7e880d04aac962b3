import type { Command } from 'commander';
import { renderPicture, renderPlain } from '../report/picture.js';
import { LiveView } from '../session/process-view.js';
import type { Session, SessionEvent } from '../session/session.js';
import { addWatchOptions, requireTargets, type WatchOptions } from './options.js';
import { isBehind, write } from './output.js';
import { runSession } from './run-session.js';
import { Stopping } from './signals.js';
import { colourOf, isScreen, Screen } from './terminal/screen.js';

/** Redrawn at most this often on a terminal, printed at most this often elsewhere. */
const REDRAW_MS = 100;
const PRINT_MS = 1_000;
/** The time until the first snapshot is updated this often. */
const COUNT_DOWN_MS = 500;

export function addWatch(command: Command): void {
  addWatchOptions(command)
    .addHelpText('after', '\nExamples:\n  pagepulse watch --pid 4242\n  pagepulse watch -- node server.js')
    .action(watch);
}

async function watch(command: readonly string[], options: WatchOptions): Promise<void> {
  requireTargets(options, command, 'pagepulse watch --pid 4242');
  const stopping = new Stopping();
  await runSession({ options, command, stopping, draws: true }, async (session, events) => {
    await showPicture(session, events, stopping.quit);
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
  #hasSnapshot = false;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly session: Session,
    onQuit: () => void,
  ) {
    if (isScreen()) this.#screen = new Screen(onQuit, () => this.#draw());
    if (this.#screen) this.#drawSoon();
  }

  take(event: SessionEvent): void {
    if (event.type === 'attached') {
      this.#views.set(event.target.id, new LiveView(event.target));
    } else if (event.type === 'snapshot') {
      this.#views.get(event.snapshot.target.id)!.snapshot = event.snapshot;
      if (!this.#hasSnapshot) this.#cancelDraw(); // of the count-down
      this.#hasSnapshot = true;
    } else {
      if (event.type === 'detached') this.#views.get(event.target.id)!.hasEnded = true;
      return;
    }
    this.#drawSoon();
  }

  /** Shows the last state once more if a file or pipe would miss it. */
  finish(): void {
    if (!this.#screen && this.#timer) this.#draw(true);
  }

  close(): void {
    this.#cancelDraw();
    this.#screen?.close();
  }

  #drawSoon(): void {
    this.#drawIn(this.#drawnMs + (this.#screen ? REDRAW_MS : PRINT_MS) - performance.now());
  }

  #drawIn(waitMs: number): void {
    this.#timer ??= setTimeout(() => this.#draw(), Math.max(0, waitMs));
  }

  #cancelDraw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #draw(isLast = false): void {
    this.#cancelDraw();
    this.#drawnMs = performance.now();
    const dueInUs = this.session.firstSnapshotInUs;
    const views = [...this.#views.values()];
    if (!this.#screen) {
      if (isBehind() && !isLast) this.#drawIn(PRINT_MS);
      else write(`${renderPlain(refreshed(views), { dueInUs })}\n`);
      return;
    }
    const { width, height } = this.#screen;
    const options = { width, height, colour: this.#colour, hint: 'q quits', dueInUs };
    this.#screen.draw(renderPicture(refreshed(views), options));
    if (!this.#hasSnapshot) this.#drawIn(COUNT_DOWN_MS);
  }
}

function refreshed(views: readonly LiveView[]): readonly LiveView[] {
  for (const view of views) view.refresh();
  return views;
}
