import type { SampleCost } from '../../../bench/sample-cost.js';
import { sampleHotCold } from '../../../bench/sample-cost.js';

/** So many regions that what a tick costs anyway, the waking up, is a small part of it. */
export function sampleInGuest(): Promise<SampleCost[]> {
  return sampleHotCold('hotcold', 'floor', { regions: 200, ticks: 80, sleepUs: 4_000, rounds: 5 });
}
