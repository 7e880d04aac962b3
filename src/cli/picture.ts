import { systemCode } from '../core/errors.js';
import type { Snapshot } from '../core/snapshot.js';
import type { Mapping } from '../kernel/mapping.js';
import { readMappings } from '../kernel/maps.js';
import { readStat } from '../kernel/stat.js';
import { readResidentBytes } from '../kernel/status.js';
import { type ProcessView, renderPicture, renderPlain } from '../report/picture.js';
import { colourOf, Screen } from './screen.js';

/** Redrawn at most ten times a second on a terminal, printed once a second elsewhere. */
const REDRAW_MS = 100;
const PRINT_MS = 1_000;
/** How often the mappings are read for their names. */
const NAMES_MS = 1_000;

/** A process, and what was read about it. */
export interface Watched extends ProcessView {
  snapshot: Snapshot;
  residentBytes: number | undefined;
  mappings: readonly Mapping[];
  mappingsReadMs: number;
  hasEnded: boolean;
}

/** The latest snapshot of each process, on the terminal or as plain blocks of text. */
export class Picture {
  readonly #screen: Screen | undefined;
  readonly #colour = colourOf(process.env, process.stdout.isTTY === true);
  readonly #watched = new Map<number, Watched>();
  #drawnMs = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param firstUs when the first snapshot comes, after the start */
  constructor(
    onQuit: () => void,
    readonly firstUs: number,
  ) {
    if (process.stdout.isTTY && process.env.TERM !== 'dumb')
      this.#screen = new Screen(onQuit, () => this.#draw());
    process.stdout.on('error', (error) => {
      if (systemCode(error) === 'EPIPE') onQuit(); // `| head` has seen enough
    });
    if (this.#screen) this.#draw();
  }

  add(snapshot: Snapshot): void {
    const { target } = snapshot;
    const known = this.#watched.get(target.id);
    if (known) known.snapshot = snapshot;
    else this.#watched.set(target.id, unread(snapshot));
    const interval = this.#screen ? REDRAW_MS : PRINT_MS;
    this.#timer ??= setTimeout(() => this.#draw(), Math.max(0, this.#drawnMs + interval - performance.now()));
  }

  end(id: number): void {
    const watched = this.#watched.get(id);
    if (watched) watched.hasEnded = true;
  }

  /** Shows the last state once more where a file or pipe would miss it. */
  finish(): void {
    if (!this.#screen && this.#timer) this.#draw();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#screen?.close();
  }

  /** What the last picture showed, as text. */
  asText(): string {
    return renderPlain(this.#views());
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#drawnMs = performance.now();
    const screen = this.#screen;
    if (!screen) {
      process.stdout.write(`${this.asText()}\n`);
      return;
    }
    const { width, height } = screen;
    const options = { width, height, colour: this.#colour, hint: 'q quits', firstUs: this.firstUs };
    screen.draw(renderPicture(this.#views(), options));
  }

  #views(): ProcessView[] {
    for (const watched of this.#watched.values()) refresh(watched);
    return [...this.#watched.values()];
  }
}

/** A process of which nothing was read yet. */
export function unread(snapshot: Snapshot): Watched {
  const mappingsReadMs = Number.NEGATIVE_INFINITY;
  return { snapshot, residentBytes: undefined, mappings: [], mappingsReadMs, hasEnded: false };
}

/** Reads what is not in the snapshot. What cannot be read stays as it was: the process may be ending. */
export function refresh(watched: Watched): void {
  const { target } = watched.snapshot;
  if (target.pid === 0 || watched.hasEnded) return;
  try {
    const residentBytes = readResidentBytes(target.pid);
    if (readStat(target.pid).startTime !== target.startTime) return;
    watched.residentBytes = residentBytes ?? watched.residentBytes;
    if (performance.now() - watched.mappingsReadMs < NAMES_MS) return;
    watched.mappingsReadMs = performance.now();
    watched.mappings = readMappings(target.pid);
  } catch {
    // It says so itself, when the monitor finds it ended.
  }
}
