import { PagepulseError } from '../core/errors.js';
import type { Snapshot } from '../core/snapshot.js';
import { isProcess } from '../core/target.js';
import { accessedPagesOf } from '../core/working-set.js';
import { SharingSurvey } from '../processes/sharing/survey.js';
import type { SharingTarget } from '../processes/sharing/types.js';
import type { TopModel } from '../report/top/model.js';

/** Surveys for the table which pages its processes share, as often as a survey's own cost allows. */
export class SharingReader {
  readonly #survey = openSurvey();
  #isReading = false;

  /** @param changed called when the model knows of a new survey */
  constructor(
    readonly model: TopModel,
    readonly changed: () => void,
  ) {}

  /** Begins a survey if one is due; not while most processes have no snapshot yet, for its sums hold until the next one. */
  refresh(): void {
    if (this.#isReading || !this.#survey || this.#survey.dueInMs > 0) return;
    const { processes, pending } = this.model.state(performance.now()).totals;
    if (2 * pending <= processes) void this.read();
  }

  /** Makes a survey now. What cannot be read leaves the table with what it knew: its sums are upper bounds then. */
  async read(): Promise<void> {
    const targets = this.#targets();
    if (!this.#survey || targets.length < 2) return;
    this.#isReading = true;
    try {
      const { targets: found, residentBytes, workingSetBytes } = await this.#survey.survey(targets);
      const byTarget = new Map(found.map((each) => [each.id, each]));
      this.model.sharing = { byTarget, sums: { residentBytes, workingSetBytes } };
      this.changed();
    } catch (error) {
      if (!(error instanceof PagepulseError)) throw error;
    } finally {
      this.#isReading = false;
    }
  }

  async close(): Promise<void> {
    await this.#survey?.close();
  }

  #targets(): SharingTarget[] {
    return this.model.state(performance.now()).rows.flatMap(({ id, pid, startTime, snapshot, hasEnded }) => {
      if (hasEnded || !isProcess({ pid })) return [];
      return [{ id, pid, startTime, workingSet: snapshot ? accessedRanges(snapshot) : [] }];
    });
  }
}

function openSurvey(): SharingSurvey | undefined {
  try {
    return new SharingSurvey();
  } catch (error) {
    if (error instanceof PagepulseError) return undefined;
    throw error;
  }
}

/**
 * What was accessed in the snapshot's interval, as a survey takes it: [start, end) pairs of pages, in address order. A mapping
 * whose accesses are counted is included as a whole, so the survey's sum is an upper bound. Empty if nothing is known.
 */
export function accessedRanges(snapshot: Pick<Snapshot, 'columns' | 'isKnown'>): number[] {
  if (!snapshot.isKnown) return [];
  const { columns } = snapshot;
  const pairs: number[] = [];
  for (let i = 0; i < columns.startPages.length; i++) {
    if (accessedPagesOf(columns, i) > 0) pairs.push(columns.startPages[i]!, columns.endPages[i]!);
  }
  return pairs;
}
