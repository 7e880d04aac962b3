import { TopModel, type TopState } from '../report/top/model.js';
import type { ProcessRow } from '../report/top/rows.js';
import { FactsReader } from './process-facts.js';
import type { Session, SessionEvent } from './session.js';
import { SharingReader } from './sharing-reader.js';

/** The latest state of a session: each process with its snapshot, its facts, and the pages that it shares. */
export class ProcessTable {
  readonly #model = new TopModel();
  readonly #facts = new FactsReader(this.#model);
  readonly #sharing: SharingReader;

  /** @param changed called when something has changed */
  constructor(
    readonly session: Session,
    readonly changed: () => void,
  ) {
    this.#sharing = new SharingReader(this.#model, changed);
  }

  take(event: SessionEvent): void {
    switch (event.type) {
      case 'snapshot':
        this.#model.add(event.snapshot);
        break;
      case 'attached':
        this.#model.start(event.target);
        break;
      case 'detached':
        this.#model.end(event.target.id, performance.now());
        break;
      case 'skipped':
        this.#model.skipped++;
        break;
      default:
        return;
    }
    this.changed();
  }

  /** Some microseconds per process. */
  state(): TopState {
    return this.#model.state(performance.now(), this.session.firstSnapshotInUs);
  }

  /** As FactsReader.refresh: reads the facts that are due, and returns whether anything new is known. */
  refreshFacts(rows: readonly ProcessRow[], visible: ReadonlySet<number>, needsCgroup: boolean): boolean {
    return this.#facts.refresh(rows, visible, needsCgroup);
  }

  get nameOfParent(): (pid: number) => string | undefined {
    return this.#facts.nameOfParent;
  }

  get hasSharing(): boolean {
    return this.#model.sharing !== undefined;
  }

  /** Starts a survey of shared pages if one is due. */
  refreshSharing(): void {
    this.#sharing.refresh();
  }

  /** Surveys shared pages now. */
  readSharing(): Promise<void> {
    return this.#sharing.read();
  }

  close(): Promise<void> {
    return this.#sharing.close();
  }
}
