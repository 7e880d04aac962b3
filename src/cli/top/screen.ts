import { renderPicture } from '../../report/picture.js';
import { type LayoutOptions, renderTop, rowsThatFit } from '../../report/top/layout.js';
import type { TopModel, TopState } from '../../report/top/model.js';
import { type RowQuery, type SelectedRows, SORT_KEYS, selectRows } from '../../report/top/query.js';
import { firstView, press, settle, type TopView } from '../../report/top/view.js';
import type { FactsReader } from '../../session/process-facts.js';
import type { FirstSnapshot } from '../first-snapshot.js';
import type { KeyPress } from '../keys.js';
import { refresh, unread, type Watched } from '../picture.js';
import { colourOf, Screen } from '../screen.js';
import type { TopDisplay } from './text.js';

/** What has changed is drawn so often at most; what a key has, sooner. */
const REDRAW_MS = 500;
const KEY_MS = 40;
/** Without snapshots resident memory is read again, and what has ended leaves the table. */
const IDLE_MS = 2_000;
/** Before the first snapshot, the time until then is brought up to date. */
const COUNT_DOWN_MS = 500;

export interface TableOptions {
  readonly onQuit: () => void;
  readonly first: FirstSnapshot;
}

/** The table on the terminal: follows keys, and draws what is in sight. */
export class Table implements TopDisplay {
  readonly #screen: Screen;
  readonly #colour = colourOf(process.env, true);
  #view: TopView;
  /** What is shown while the table is frozen. */
  #frozen: TopState | undefined;
  #open: Watched | undefined;
  #selected: SelectedRows = { rows: [], matching: 0, leftOut: 0 };
  #drawnMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(
    readonly model: TopModel,
    readonly facts: FactsReader,
    selection: RowQuery,
    readonly options: TableOptions,
  ) {
    this.#view = firstView(selection);
    this.#screen = new Screen(
      options.onQuit,
      () => this.#draw(),
      (key) => this.#press(key),
    );
    this.#draw();
  }

  changed(): void {
    this.#drawIn(Math.max(0, this.#drawnMs + REDRAW_MS - performance.now()));
  }

  finish(): void {}

  close(): void {
    clearTimeout(this.#timer);
    this.#dueMs = Number.NEGATIVE_INFINITY; // nothing is drawn any more
    this.#screen.close();
  }

  #press({ name, text }: KeyPress): void {
    if (name === 'ctrl-l') this.#screen.forget();
    const table = { rows: this.#selected.rows, page: this.#page, sortable: this.#sortable };
    const view = press(this.#view, name, text, table);
    if (!view) {
      this.#screen.quit();
      return;
    }
    if (view.isFrozen !== this.#view.isFrozen) {
      this.#frozen = view.isFrozen ? this.#state() : undefined;
    }
    this.#view = view;
    // Keys that are held down come faster than they can be looked at.
    this.#drawIn(Math.max(0, Math.min(this.#drawnMs + KEY_MS - performance.now(), KEY_MS)));
  }

  get #page(): number {
    return rowsThatFit(this.#screen.height);
  }

  get #sortable() {
    return SORT_KEYS.filter((key) => key !== 'shared' || this.model.sharing !== undefined);
  }

  #drawIn(waitMs: number): void {
    const dueMs = performance.now() + waitMs;
    if (dueMs >= this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => this.#draw(), waitMs);
  }

  #draw(): void {
    if (this.#dueMs === Number.NEGATIVE_INFINITY) return;
    clearTimeout(this.#timer);
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#drawnMs = performance.now();
    const state = this.#frozen ?? this.#state();
    this.#drawIn(state.latest ? IDLE_MS : COUNT_DOWN_MS); // or sooner, if something comes up
    this.#screen.draw(this.#openLines(state) ?? this.#tableLines(state));
  }

  #state(): TopState {
    return this.model.state(performance.now(), this.options.first.inUs);
  }

  #tableLines(state: TopState): string[] {
    const { width, height } = this.#screen;
    this.#selected = selectRows(state.rows, this.#view, this.facts.nameOfParent);
    this.#view = settle(this.#view, { rows: this.#selected.rows, page: this.#page });
    const { first, selectedKey, selectedAt } = this.#view;
    if (!this.#frozen) this.#readFacts(state, first);
    const layout: LayoutOptions = { width, colour: this.#colour };
    return renderTop(state, this.#view, this.#selected, {
      ...layout,
      ...this.#view,
      height,
      selected: selectedKey === undefined ? -1 : selectedAt,
    });
  }

  /** What is read now is shown with the next frame: soon where something was not known at all. */
  #readFacts(state: TopState, first: number): void {
    const inSight = this.#selected.rows.slice(first, first + this.#page);
    const visible = new Set(inSight.flatMap((row) => (row.kind === 'process' ? [row.id] : [])));
    if (this.facts.refresh(state.rows, visible, this.#view.group === 'cgroup')) this.#drawIn(KEY_MS);
  }

  /** The picture of one process; undefined where none is open or what was open has left. */
  #openLines({ rows }: TopState): string[] | undefined {
    const { openId } = this.#view;
    if (openId === undefined || this.#view.isHelp) {
      this.#open = undefined;
      return undefined;
    }
    const row = rows.find(({ id }) => id === openId);
    if (row && this.#open?.target.id !== openId) this.#open = unread(row.target);
    const open = this.#open;
    if (!open) {
      this.#view = { ...this.#view, openId: undefined };
      return undefined;
    }
    if (row) open.snapshot = row.snapshot;
    open.hasEnded = row?.hasEnded ?? true;
    if (!this.#frozen || open.mappings.length === 0) refresh(open);
    const { width, height } = this.#screen;
    const hint = this.#frozen ? 'frozen  Esc back' : 'Esc back';
    const dueInUs = this.options.first.inUs;
    return renderPicture([open], { width, height, colour: this.#colour, hint, dueInUs });
  }
}
