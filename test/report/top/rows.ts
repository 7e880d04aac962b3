import fc from 'fast-check';
import { type ProcessFacts, TopModel } from '../../../src/report/top/model.js';
import type { RowQuery } from '../../../src/report/top/query.js';
import type { ProcessRow } from '../../../src/report/top/rows.js';
import { PAGE, regionRows, type SnapshotParts, snapshotOf } from '../../helpers/snapshots.js';

export const BY_PID: RowQuery = {
  sort: 'pid',
  isReversed: false,
  group: 'none',
  filter: '',
  limit: Number.POSITIVE_INFINITY,
  expanded: new Set(),
};

/** One process of which a snapshot of these regions came, and these facts were read. */
export interface Given extends SnapshotParts {
  readonly facts?: Partial<ProcessFacts>;
}

/** A model that has seen one snapshot of each. */
export function modelOf(...given: readonly Given[]): TopModel {
  const model = new TopModel();
  for (const { facts, ...parts } of given) {
    const snapshot = snapshotOf(parts);
    model.add(snapshot);
    if (facts) {
      model.setFacts(snapshot.target.id, {
        residentBytes: 100 * PAGE,
        parentPid: 1,
        cgroup: undefined,
        ...facts,
      });
    }
  }
  return model;
}

export function rowsOf(...given: readonly Given[]): readonly ProcessRow[] {
  return modelOf(...given).state(0).rows;
}

/** A process of `pages` pages that were all accessed every time. */
export function busy(pid: number, pages: number, rest: Partial<Given> = {}): Given {
  return { rows: [[16, 16 + pages, 20, 3]], pid, comm: `p${pid}`, ...rest };
}

const NAMES = [
  'a',
  'postgres',
  '漢字漢字漢字',
  'e\u0301'.repeat(8),
  '\x1b[31mred',
  'new\nline',
  '',
  '👍👍',
  'x'.repeat(15),
];

/** Up to 12 processes with any regions and names, and a model that has seen several snapshots of each. */
export const models: fc.Arbitrary<TopModel> = fc
  .array(
    fc.record({
      rows: regionRows,
      comm: fc.constantFrom(...NAMES),
      residentPages: fc.option(fc.nat(2 ** 40), { nil: undefined }),
      cgroup: fc.constantFrom('/', '/a/very/long/path/of/control/groups/漢字/x.service'),
      hasEnded: fc.boolean(),
    }),
    { maxLength: 12 },
  )
  .map((processes) => {
    const model = new TopModel();
    processes.forEach(({ rows, comm, residentPages, cgroup, hasEnded }, i) => {
      const pid = i * 350_000 + 1;
      model.add(snapshotOf({ rows, pid, comm }));
      model.add(snapshotOf({ rows: rows.slice(1), pid, comm, endUs: 900_000_000 }));
      if (residentPages !== undefined) {
        model.setFacts(pid, { residentBytes: residentPages * PAGE, parentPid: 1, cgroup });
      }
      if (hasEnded) model.end(pid, 0);
    });
    return model;
  });
