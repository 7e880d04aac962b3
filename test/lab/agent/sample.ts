import type { SampleCost } from '../../../bench/sample-cost.js';
import { sampleHotCold } from '../../../bench/sample-hotcold.js';

/** With what a monitor has to do usually: 40 regions, a tick each 5 ms. */
export function sampleInGuest(): Promise<SampleCost[]> {
  return sampleHotCold('hotcold', 'floor', { regions: 40, ticks: 400, sleepUs: 4_000, rounds: 5 });
}
