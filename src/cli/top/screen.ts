import { renderPicture } from '../../report/picture.js';
import { renderTop, rowsThatFit } from '../../report/top/layout.js';
import type { TopState } from '../../report/top/model.js';
import { type RowQuery, type SelectedRows, SORT_KEYS, selectRows } from '../../report/top/query.js';
import { firstView, press, settle, type TopView } from '../../report/top/view.js';
import type { ProcessTable } from '../../session/process-table.js';
import { LiveView } from '../../session/process-view.js';
import { Alarm } from '../output.js';
import type { KeyPress } from '../terminal/keys.js';
import { colourOf, Screen } from '../terminal/screen.js';

/** Changes are drawn at most this often; keys sooner. */
const REDRAW_MS = 500;
const KEY_MS = 40;
/** Without snapshots, resident memory is read again this often, and what has ended leaves the table. */
const IDLE_MS = 2_000;
/** The time until the first snapshot is updated this often. */
const COUNT_DOWN_MS = 500;

/** The table on the terminal: follows keys, and draws the visible rows. */
export class TableScreen {
  readonly #screen: Screen;
  readonly #colour = colourOf(process.env, true);
  #view: TopView;
  /** What is shown while the table is frozen. */
  #frozen: TopState | undefined;
  #open: LiveView | undefined;
  #selected: SelectedRows = { rows: [], matching: 0, leftOut: 0 };
  readonly #alarm = new Alarm(() => this.#draw());
  #drawnMs = Number.NEGATIVE_INFINITY;

  constructor(
    readonly table: ProcessTable,
    selection: RowQuery,
    onQuit: () => void,
  ) {
    this.#view = firstView(selection);
    this.#screen = new Screen(
      onQuit,
      () => this.#draw(),
      (key) => this.#press(key),
    );
    this.#alarm.set(0);
  }

  changed(): void {
    this.#alarm.set(this.#drawnMs + REDRAW_MS - performance.now());
  }

  finish(): void {} // the last frame has it all

  close(): void {
    this.#alarm.close();
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
    if (view.isFrozen !== this.#view.isFrozen) this.#frozen = view.isFrozen ? this.table.state() : undefined;
    this.#view = view;
    // Keys that are held down come faster than anyone can read.
    this.#alarm.set(this.#drawnMs + KEY_MS - performance.now());
  }

  get #page(): number {
    return rowsThatFit(this.#screen.height);
  }

  get #sortable() {
    return SORT_KEYS.filter((key) => key !== 'shared' || this.table.hasSharing);
  }

  #draw(): void {
    this.#alarm.clear();
    this.#drawnMs = performance.now();
    const state = this.#frozen ?? this.table.state();
    this.#alarm.set(state.latest ? IDLE_MS : COUNT_DOWN_MS); // or sooner, after a change
    this.#screen.draw(this.#openLines(state) ?? this.#tableLines(state));
  }

  #tableLines(state: TopState): string[] {
    const { width, height } = this.#screen;
    this.#selected = selectRows(state.rows, this.#view, this.table.facts.nameOfParent);
    this.#view = settle(this.#view, { rows: this.#selected.rows, page: this.#page });
    const { first, selectedKey, selectedAt } = this.#view;
    if (!this.#frozen) this.#readFacts(state, first);
    return renderTop(state, this.#view, this.#selected, {
      ...this.#view,
      width,
      height,
      colour: this.#colour,
      selected: selectedKey === undefined ? -1 : selectedAt,
    });
  }

  /** The next frame shows what is read now: soon, if something is known for the first time. */
  #readFacts(state: TopState, first: number): void {
    const inSight = this.#selected.rows.slice(first, first + this.#page);
    const visible = new Set(inSight.flatMap((row) => (row.kind === 'process' ? [row.id] : [])));
    if (this.table.facts.refresh(state.rows, visible, this.#view.group === 'cgroup')) this.#alarm.set(KEY_MS);
  }

  /** The picture of one process; undefined if none is open or it has left the table. */
  #openLines({ rows }: TopState): string[] | undefined {
    const { openId } = this.#view;
    if (openId === undefined || this.#view.isHelp) {
      this.#open = undefined;
      return undefined;
    }
    const row = rows.find(({ id }) => id === openId);
    if (row && this.#open?.target.id !== openId) this.#open = new LiveView(row.target);
    const open = this.#open;
    if (!open) {
      this.#view = { ...this.#view, openId: undefined };
      return undefined;
    }
    if (row) open.snapshot = row.snapshot;
    open.hasEnded = row?.hasEnded ?? true;
    if (!this.#frozen || open.mappings.length === 0) open.refresh();
    const { width, height } = this.#screen;
    const hint = this.#frozen ? 'frozen  Esc back' : 'Esc back';
    const dueInUs = this.table.session.firstSnapshotInUs;
    return renderPicture([open], { width, height, colour: this.#colour, hint, dueInUs });
  }
}
