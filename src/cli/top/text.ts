import { topDocument } from '../../report/top/json.js';
import { renderTopPlain } from '../../report/top/layout.js';
import type { TopModel } from '../../report/top/model.js';
import { type RowQuery, selectRows } from '../../report/top/query.js';
import type { FactsReader } from '../../session/process-facts.js';
import type { FirstSnapshot } from '../first-snapshot.js';
import { isBehind, write, writeJson } from '../output.js';

/** Where the table goes: to the terminal, or to a file or pipe. */
export interface TopDisplay {
  /** Something has changed. */
  changed(): void;
  /** Shows the last state where a file or pipe would miss it. */
  finish(): void;
  close(): void;
}

const PRINT_MS = 1_000;
/** Without a terminal nobody says how wide the text may be; this holds every column. */
const PLAIN_WIDTH = 120;

export interface UpdatesOptions {
  readonly isJson: boolean;
  /** Prints nothing but the last state, if there is a snapshot by then. */
  readonly isOnce: boolean;
  readonly first: FirstSnapshot;
}

/** The table as text or JSON on standard output, once a second at most where something has changed. */
export class Updates implements TopDisplay {
  #printedMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #hasChanged = false;

  constructor(
    readonly model: TopModel,
    readonly facts: FactsReader,
    readonly selection: RowQuery,
    readonly options: UpdatesOptions,
  ) {}

  changed(): void {
    this.#hasChanged = true;
    if (this.options.isOnce) return;
    const waitMs = Math.max(0, this.#printedMs + PRINT_MS - performance.now());
    this.#timer ??= setTimeout(() => this.#printUnlessBehind(), waitMs);
  }

  finish(): void {
    if (this.#hasChanged) this.#print();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #printUnlessBehind(): void {
    if (!isBehind()) this.#print();
    else this.#timer = setTimeout(() => this.#printUnlessBehind(), PRINT_MS);
  }

  #print(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const nowMs = performance.now();
    this.#printedMs = nowMs;
    this.#hasChanged = false;
    const { rows, latest } = this.model.state(nowMs);
    const { isJson, isOnce, first } = this.options;
    if (rows.length === 0 || (isOnce && !latest)) return;
    const needsCgroup = isJson || this.selection.group === 'cgroup';
    this.facts.refresh(rows, new Set(rows.map(({ id }) => id)), needsCgroup);
    const state = this.model.state(nowMs, first.inUs);
    const selected = selectRows(state.rows, this.selection, this.facts.nameOfParent);
    if (isJson) {
      const document = topDocument(state, this.selection, selected);
      writeJson(document, undefined, isOnce ? 2 : undefined);
      return;
    }
    const text = renderTopPlain(state, this.selection, selected, process.stdout.columns || PLAIN_WIDTH);
    write(isOnce ? text : `${text}\n`);
  }
}
