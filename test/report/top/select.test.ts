import test from 'ava';
import fc from 'fast-check';
import { GROUP_KINDS, SORT_KEYS, selectRows } from '../../../src/report/top/query.js';
import { PAGE } from '../../helpers/snapshots.js';
import { BY_PID, busy, models, rowsOf } from './rows.js';

const THREE = rowsOf(
  busy(30, 10, { comm: 'web', facts: { residentBytes: 40 * PAGE, parentPid: 7, cgroup: '/b' } }),
  busy(10, 30, { comm: 'db', facts: { residentBytes: 40 * PAGE, parentPid: 7, cgroup: '/a' } }),
  busy(20, 20, { comm: 'web', facts: { residentBytes: 80 * PAGE, parentPid: 8, cgroup: '/a' } }),
);

const pids = (selection: Partial<typeof BY_PID>) =>
  selectRows(THREE, { ...BY_PID, ...selection }).rows.map((row) =>
    row.kind === 'process' ? row.pid : row.name,
  );

test('process ids and names begin with the first, figures with the largest; reversed is the other way', (t) => {
  t.deepEqual(pids({}), [10, 20, 30]);
  t.deepEqual(pids({ isReversed: true }), [30, 20, 10]);
  t.deepEqual(pids({ sort: 'ws' }), [10, 20, 30]);
  t.deepEqual(pids({ sort: 'ws', isReversed: true }), [30, 20, 10]);
  t.deepEqual(pids({ sort: 'name' }), [10, 20, 30]);
  t.deepEqual(pids({ sort: 'name', isReversed: true }), [20, 30, 10]);
  t.deepEqual(pids({ sort: 'share' }), [10, 20, 30]); // 75, 25, 25 %: what is equal by process id
  t.deepEqual(pids({ sort: 'resident' }), [20, 10, 30]);
});

test('what is not known comes last either way', (t) => {
  const rows = rowsOf(busy(1, 5), busy(2, 5, { facts: { residentBytes: 9 * PAGE } }));
  for (const isReversed of [false, true]) {
    const [first] = selectRows(rows, { ...BY_PID, sort: 'resident', isReversed }).rows;
    t.like(first, { pid: 2 });
  }
});

test('a filter looks at names, command lines and process ids, in large and small letters', (t) => {
  t.deepEqual(pids({ filter: 'WEB' }), [20, 30]);
  t.deepEqual(pids({ filter: '3' }), [30]);
  t.deepEqual(pids({ filter: 'nothing like it' }), []);
});

test('a limit says how many it leaves out', (t) => {
  t.like(selectRows(THREE, { ...BY_PID, limit: 2 }), { matching: 3, leftOut: 1 });
  t.deepEqual(pids({ limit: 2 }), [10, 20]);
});

test('groups have the sums of their processes', (t) => {
  const { rows } = selectRows(THREE, { ...BY_PID, sort: 'name', group: 'name' });
  t.like(rows[0], { kind: 'group', name: 'db', workingSetBytes: 30 * PAGE, residentBytes: 40 * PAGE });
  t.like(rows[1], { kind: 'group', name: 'web', workingSetBytes: 30 * PAGE, residentBytes: 120 * PAGE });
  t.deepEqual(pids({ sort: 'name', group: 'cgroup' }), ['/a', '/b']);
  const named = selectRows(THREE, { ...BY_PID, sort: 'name', group: 'parent' }, (pid) =>
    pid === 7 ? 'init' : undefined,
  );
  t.deepEqual(
    named.rows.map(({ name }) => name),
    ['7 init', '8'],
  );
});

test('a group that is expanded shows its processes below it, in the same order', (t) => {
  const expanded = new Set(['name web']);
  t.deepEqual(pids({ group: 'name', sort: 'name', expanded }), ['db', 'web', 20, 30]);
  t.deepEqual(pids({ group: 'name', sort: 'resident', expanded }), ['web', 20, 30, 'db']);
});

test('whatever the order, no row is lost, and sorting again changes nothing', (t) => {
  fc.assert(
    fc.property(
      models,
      fc.constantFrom(...SORT_KEYS),
      fc.boolean(),
      fc.constantFrom(...GROUP_KINDS),
      (model, sort, isReversed, group) => {
        const { rows } = model.state(1);
        const selection = { ...BY_PID, sort, isReversed, group };
        const once = selectRows(rows, selection).rows;
        const processes = once.flatMap((row) => (row.kind === 'process' ? [row] : row.members));
        t.is(processes.length, rows.length);
        t.is(new Set(processes.map(({ key }) => key)).size, rows.length);
        const again = selectRows([...rows].reverse(), selection).rows;
        t.deepEqual(
          again.map(({ key }) => key),
          once.map(({ key }) => key),
        );
      },
    ),
  );
});
