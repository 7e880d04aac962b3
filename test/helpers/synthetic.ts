import type { SyntheticSpec } from '../../src/index.js';

export const MIB = 2 ** 20;
export const BASE = 0x1000_0000;

/** Intervals that are kept: the defaults, given by hand. */
export const KEPT = { sampleUs: 5_000, aggrUs: 100_000 };

/** 256 MiB, of which `hotMib` from 100 MiB on are always accessed. */
export function hotCold(hotMib = 32, more: Partial<SyntheticSpec> = {}): { synthetic: SyntheticSpec } {
  return {
    synthetic: {
      name: 'hotcold',
      phases: [
        {
          lastsUs: 1e9,
          mappings: [{ startAddress: BASE, sizeBytes: 256 * MIB }],
          accesses: [{ startAddress: BASE + 100 * MIB, sizeBytes: hotMib * MIB, share: 1 }],
        },
      ],
      ...more,
    },
  };
}
