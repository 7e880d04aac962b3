import type { Snapshot } from '../core/snapshot.js';
import type { TargetInfo } from '../core/target.js';
import type { Monitor } from '../engine/monitor.js';
import { type Mapping, readingMappings } from '../kernel/maps.js';
import { inSlices } from '../kernel/slices.js';
import { readFacts } from '../processes/facts.js';
import { type ProcessView, renderPicture, renderPlain } from '../report/picture.js';
import { FirstSnapshot } from './first-snapshot.js';
import { isBehind, write } from './output.js';
import { colourOf, Screen } from './screen.js';

/** Redrawn at most ten times a second on a terminal, printed once a second elsewhere. */
const REDRAW_MS = 100;
const PRINT_MS = 1_000;
/** How often the time until the first snapshot is brought up to date. */
const COUNT_DOWN_MS = 500;
/** How often the mappings are read for their names. */
const NAMES_MS = 1_000;

/** A process, and what was read about it. */
export interface Watched extends ProcessView {
  snapshot: Snapshot | undefined;
  residentBytes: number | undefined;
  mappings: readonly Mapping[];
  mappingsReadMs: number;
  hasEnded: boolean;
}

/**
 * The latest snapshot of each process, on the terminal or as plain blocks of text; before the first one what is known of it
 * without.
 */
export class Picture {
  readonly #screen: Screen | undefined;
  readonly #colour = colourOf(process.env, process.stdout.isTTY === true);
  readonly #watched = new Map<number, Watched>();
  readonly #first: FirstSnapshot;
  #hasSnapshot = false;
  #drawnMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(monitor: Monitor, onQuit: () => void) {
    this.#first = new FirstSnapshot(monitor);
    for (const target of monitor.targets) this.#watched.set(target.id, unread(target));
    monitor.on('attached', (target) => {
      if (!this.#watched.has(target.id)) this.#watched.set(target.id, unread(target));
      this.#drawSoon();
    });
    if (process.stdout.isTTY && process.env.TERM !== 'dumb')
      this.#screen = new Screen(onQuit, () => this.#draw());
    if (this.#screen || this.#watched.size > 0) this.#draw();
  }

  add(snapshot: Snapshot): void {
    const { target } = snapshot;
    const watched = this.#watched.get(target.id) ?? unread(target);
    watched.snapshot = snapshot;
    this.#watched.set(target.id, watched);
    if (!this.#hasSnapshot) {
      clearTimeout(this.#timer); // of the count-down
      this.#timer = undefined;
    }
    this.#hasSnapshot = true;
    this.#drawSoon();
  }

  end(id: number): void {
    const watched = this.#watched.get(id);
    if (watched) watched.hasEnded = true;
  }

  /** Shows the last state once more where a file or pipe would miss it. */
  finish(): void {
    if (!this.#screen && this.#timer) this.#draw(true);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#screen?.close();
  }

  #drawSoon(): void {
    const interval = this.#screen ? REDRAW_MS : PRINT_MS;
    this.#drawIn(Math.max(0, this.#drawnMs + interval - performance.now()));
  }

  #drawIn(waitMs: number): void {
    this.#timer ??= setTimeout(() => this.#draw(), waitMs);
  }

  #draw(isLast = false): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#drawnMs = performance.now();
    const screen = this.#screen;
    const dueInUs = this.#first.inUs;
    if (!screen) {
      if (isBehind() && !isLast) {
        this.#drawIn(PRINT_MS);
        return;
      }
      write(`${renderPlain(this.#views(), { dueInUs })}\n`);
      return;
    }
    const { width, height } = screen;
    const options = { width, height, colour: this.#colour, hint: 'q quits', dueInUs };
    screen.draw(renderPicture(this.#views(), options));
    if (!this.#hasSnapshot) this.#drawIn(COUNT_DOWN_MS);
  }

  #views(): ProcessView[] {
    for (const watched of this.#watched.values()) refresh(watched);
    return [...this.#watched.values()];
  }
}

/** A process of which nothing was read yet. */
export function unread(target: TargetInfo): Watched {
  return {
    target,
    snapshot: undefined,
    residentBytes: undefined,
    mappings: [],
    mappingsReadMs: Number.NEGATIVE_INFINITY,
    hasEnded: false,
  };
}

/** Reads what is not in the snapshot. What cannot be read stays as it was: the process may be ending. */
export function refresh(watched: Watched): void {
  const { target } = watched;
  if (target.pid === 0 || watched.hasEnded) return;
  const facts = readFacts(target);
  if (!facts) return;
  watched.residentBytes = facts.residentBytes;
  if (!watched.snapshot || performance.now() - watched.mappingsReadMs < NAMES_MS) return;
  watched.mappingsReadMs = performance.now();
  inSlices(readNames(watched));
}

function* readNames(watched: Watched): Generator<void, void> {
  try {
    watched.mappings = yield* readingMappings(watched.target.pid);
  } catch {
    // As above; or there are too many, and names are left out.
  }
}
