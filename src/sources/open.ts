import { PagepulseError } from '../core/errors.js';
import { type RandomState, randomFrom } from '../core/random.js';
import type { CheckName } from '../core/target.js';
import { IdleFiles, IdlePageCheck } from './idle-page/check.js';
import type { AccessCheck, CheckCounters } from './page-check.js';
import { ProcessSpace } from './process-space.js';
import { ReferencedSource } from './referenced.js';
import type { RegionSource } from './region-source.js';
import { SyntheticCheck } from './synthetic/check.js';
import type { TargetRequest } from './target-request.js';

/** Opens the checks of one sampler: files of the whole machine are opened once. */
export class CheckOpener {
  #idleFiles: IdleFiles | undefined;

  constructor(
    readonly check: CheckName,
    readonly counters: CheckCounters,
  ) {}

  /** @throws PagepulseError as the checks' constructors do */
  open(request: TargetRequest, state: RandomState): AccessCheck | RegionSource {
    const random = randomFrom(state);
    if ('synthetic' in request) {
      if (this.check !== 'synthetic') throw mismatch('a synthetic target', this.check);
      return new SyntheticCheck(request.synthetic, random, this.counters);
    }
    const process = new ProcessSpace(request);
    switch (this.check) {
      case 'idle-page':
        this.#idleFiles ??= new IdleFiles();
        return new IdlePageCheck(process, this.#idleFiles, random, this.counters);
      case 'referenced':
        return new ReferencedSource(process, this.counters);
      case 'synthetic':
        throw mismatch('a process', this.check);
    }
  }
}

function mismatch(target: string, check: CheckName): PagepulseError {
  return new PagepulseError(
    'ATTRS',
    `${target} cannot be watched with the ${check} check; leave the check to be chosen`,
  );
}
