import test from 'ava';
import fc from 'fast-check';
import { type FamilyMember, markDescendants } from '../../src/processes/descendants.js';

interface Member extends FamilyMember {
  ppid: number;
}

const INIT = 1;

function table(...members: [pid: number, ppid: number, isRoot?: boolean][]): Map<number, Member> {
  return new Map(
    members.map(([pid, ppid, isRoot = false]) => [pid, { pid, ppid, isRoot, isDescendant: false }]),
  );
}

function descendantsIn(all: ReadonlyMap<number, FamilyMember>): number[] {
  markDescendants(all);
  return [...all.values()].filter(({ isDescendant }) => isDescendant).map(({ pid }) => pid);
}

test('children and their children are descendants, whatever their ids', (t) => {
  t.deepEqual(descendantsIn(table([1, 0], [5, 9], [7, 5], [9, 1, true], [8, 1])), [5, 7]);
});

test('a root below another root is a descendant of it', (t) => {
  t.deepEqual(descendantsIn(table([1, 0], [2, 1, true], [3, 2], [4, 3, true], [5, 4])), [3, 4, 5]);
});

test('a circle of parents ends', (t) => {
  t.deepEqual(descendantsIn(table([2, 3], [3, 2], [4, 3])), []);
});

test('who was found to be a descendant stays one, whatever ends; nobody else becomes one', (t) => {
  // A step forks from some process, or ends one: its children go to init. Looks come in between.
  const step = fc.record({ kind: fc.constantFrom('fork', 'end', 'look'), which: fc.nat() });
  const seed = Date.now();
  t.log(`seed ${seed}`);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const all = table([INIT, 0], [2, INIT, true], [3, INIT]);
      /** Those that really descend from the root, and those that lost their parent before anyone looked. */
      const truth = new Set<number>();
      const lost = new Set<number>();
      let nextPid = 4;
      for (const { kind, which } of steps) {
        const pids = [...all.keys()];
        const pid = pids[which % pids.length]!;
        if (kind === 'fork') {
          all.set(nextPid, { pid: nextPid, ppid: pid, isRoot: false, isDescendant: false });
          if (pid === 2 || truth.has(pid)) truth.add(nextPid);
          if (lost.has(pid)) lost.add(nextPid);
          nextPid++;
        } else if (kind === 'end' && pid !== INIT) {
          all.delete(pid);
          for (const child of all.values()) {
            if (child.ppid !== pid) continue;
            child.ppid = INIT;
            if (truth.has(child.pid) && !child.isDescendant) loseWithChildren(child.pid);
          }
        } else if (kind === 'look') {
          const found = descendantsIn(all);
          const expected = [...all.keys()].filter(
            (each) => (truth.has(each) && !lost.has(each)) || all.get(each)!.isDescendant,
          );
          if (found.some((each) => !truth.has(each))) return false;
          if (expected.some((each) => !found.includes(each))) return false;
        }
      }
      return true;

      function loseWithChildren(pid: number): void {
        lost.add(pid);
        for (const child of all.values()) if (child.ppid === pid) loseWithChildren(child.pid);
      }
    }),
    { seed, numRuns: 500 },
  );
  t.pass();
});
