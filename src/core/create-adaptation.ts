import type { Adaptation, AdaptationName } from './adaptation.js';
import { DamonAdaptation } from './damon-adaptation.js';
import { EvidenceAdaptation } from './evidence/evidence-adaptation.js';

export const DEFAULT_ADAPTATION: AdaptationName = 'damon';

/** A fresh adaptation of this name; what it remembers of its targets goes with them. */
export function createAdaptation(name: AdaptationName): Adaptation {
  return name === 'damon' ? new DamonAdaptation() : new EvidenceAdaptation();
}
