import test from 'ava';
import { type Nothing, whyNothing } from '../../src/cli/notes.js';
import { DEFAULT_ATTRS } from '../../src/core/attrs.js';
import type { MonitorStats } from '../../src/core/stats.js';
import { snapshotOf } from '../helpers/snapshots.js';

interface Parts extends Partial<Omit<Nothing, 'end' | 'options'>> {
  readonly reason?: Nothing['end']['reason'];
  readonly stats?: Partial<MonitorStats>;
  readonly options?: Partial<Nothing['options']>;
  readonly aggrUs?: number;
}

function why({ reason = 'duration', stats, options, aggrUs = 5e6, ...rest }: Parts): string {
  const attrs = { ...DEFAULT_ATTRS, aggrUs };
  return whyNothing({
    monitor: { selection: undefined, attrs },
    end: { reason, stats: { ...snapshotOf({ rows: [] }).stats, snapshots: 0, ...stats } },
    options: { check: 'auto', adaptation: 'damon', duration: 3e6, ...options },
    child: undefined,
    aim: {},
    ...rest,
  });
}

const SHORTER = /shorter/;

test('it says what was over, and what the first snapshot takes', (t) => {
  t.is(
    why({}),
    'nothing was seen: --duration (3 s) was over before the first snapshot, which takes 5 s: ' +
      'use a longer --duration (10s)',
  );
  t.regex(why({ reason: 'stopped' }), /it was stopped before .*: let it run longer$/);
  t.regex(
    why({ reason: 'targets ended' }),
    /the process ended before .*: start the program with `-- COMMAND`/,
  );
  t.regex(why({ reason: 'targets ended', child: { hasEnded: true } }), /the command ended before/);
});

test('a shorter interval is advised only if a long one was given', (t) => {
  t.notRegex(why({}), SHORTER);
  t.regex(why({ options: { aggr: 5e6 } }), /, or a shorter --aggr \(5s was given\)$/);
  t.regex(
    why({ options: { sample: 250e3 } }),
    /, or a shorter --sample \(250ms was given, and a snapshot takes 20/,
  );
});

test('where the budget limits, a larger one is advised and no shorter interval', (t) => {
  const inForce = { attrs: DEFAULT_ATTRS, reason: 'budget' } as const;
  t.regex(why({ stats: { inForce }, options: { aggr: 5e6 } }), /, or a larger budget \(--max-cpu\)$/);
  t.regex(why({ options: { aggr: 5e6, maxCpu: 2 } }), /, or a larger budget \(--max-cpu 10%\)$/);
  t.notRegex(why({ stats: { inForce }, options: { sample: 1e3, maxCpu: 2 } }), SHORTER);
});

test('where ticks take longer than their interval, neither is advised', (t) => {
  const text = why({ stats: { ticks: 100, overruns: 20_423 }, options: { sample: 1e3, aggr: 20e3 } });
  t.regex(text, /: 20423 of 20523 ticks took longer than their interval; use a longer --duration \(10s\)$/);
});

test('if nothing was watched, it says why not', (t) => {
  const skipped = { permission: 0, descriptors: 0, maxTargets: 0, failed: 0 };
  const selection = { matched: 0, watched: 0, looks: 1, cpuUs: 1, endedUnopened: 0, forksUnseen: 0, skipped };
  const monitor = (over: object) => ({ attrs: DEFAULT_ATTRS, selection: { ...selection, ...over } });
  t.is(why({ monitor: monitor({}) }), 'nothing was seen: no process matched; run `ps -e` to list processes');
  t.regex(
    why({ monitor: monitor({ matched: 3, skipped: { ...skipped, permission: 3 } }) }),
    /none of the matching processes could be watched; permission denied; run as root$/,
  );
  t.regex(
    why({ monitor: monitor({}), child: { hasEnded: true } }),
    /the command ended before it could be watched$/,
  );
});
