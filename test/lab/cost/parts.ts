import type { Guest } from '../machine/guest.js';
import { adaptations } from './adaptations.js';
import { auto } from './auto.js';
import { beside } from './beside.js';
import { budget } from './budget.js';
import { hour } from './hour.js';
import { sample } from './sample.js';
import { scale } from './scale.js';
import { slowdown } from './slowdown.js';
import { words } from './words.js';

/** Each prints a table in markdown. */
export const PARTS: Readonly<Record<string, (guest: Guest) => Promise<void>>> = {
  words,
  sample,
  beside,
  budget,
  auto,
  adaptations,
  slowdown,
  scale,
  hour,
};
