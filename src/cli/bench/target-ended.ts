import { PagepulseError } from '../../core/errors.js';

/** Raised where a process that is measured ends meanwhile: what was measured until then holds. */
export class TargetEnded extends Error {
  override readonly name = 'TargetEnded';

  constructor() {
    super('the process ended before anything was measured; give one that goes on');
  }
}

/** Whether this is how a process's end shows in a system call or a monitor. */
export function saysTargetEnded(error: unknown): boolean {
  if (error instanceof TargetEnded) return true;
  return error instanceof PagepulseError && ['NO_PROCESS', 'ZOMBIE'].includes(error.code);
}
