import type { Adaptation, AdaptationName } from './adaptation.js';
import { DamonAdaptation } from './damon-adaptation.js';
import { EvidenceAdaptation } from './evidence/evidence-adaptation.js';

export const DEFAULT_ADAPTATION: AdaptationName = 'damon';

/** A new adaptation without any memory of targets. It stands apart from `Adaptation` to keep imports free of cycles. */
export function createAdaptation(name: AdaptationName): Adaptation {
  return name === 'damon' ? new DamonAdaptation() : new EvidenceAdaptation();
}
