import test from 'ava';
import { DEFAULT_ATTRS } from '../../src/core/attrs.js';
import { formatInForce } from '../../src/report/status-text.js';

test('what is in force is said in a few words: the intervals, the turns, who chose them', (t) => {
  const attrs = DEFAULT_ATTRS;
  t.is(formatInForce({ attrs, reason: 'set' }), '5 ms / 100 ms');
  t.is(formatInForce({ attrs, reason: 'auto' }), '5 ms / 100 ms (auto)');
  t.is(formatInForce({ attrs, reason: 'budget', turns: 4 }), '5 ms / 100 ms in 4 turns (budget)');
  const exact = { ...attrs, sampleUs: 10e6, aggrUs: 10e6 };
  t.is(formatInForce({ attrs: exact, reason: 'set' }), '10 s');
  t.is(formatInForce({ attrs: exact, reason: 'budget', turns: 4 }), '10 s of every 40 s (budget)');
});
