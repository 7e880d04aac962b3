import { TopModel, type TopState } from '../report/top/model.js';
import { FactsReader } from './process-facts.js';
import type { Session, SessionEvent } from './session.js';
import { SharingReader } from './sharing-reader.js';

/** The latest state of a session: each process with its snapshot, its facts, and the pages that it shares. */
export class ProcessTable {
  readonly facts: FactsReader;
  readonly sharing: SharingReader;
  readonly #model = new TopModel();

  /** @param changed called when something has changed */
  constructor(
    readonly session: Session,
    readonly changed: () => void,
  ) {
    this.facts = new FactsReader(this.#model);
    this.sharing = new SharingReader(this.#model, changed);
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

  get hasSharing(): boolean {
    return this.#model.sharing !== undefined;
  }

  close(): Promise<void> {
    return this.sharing.close();
  }
}
