import { systemCode } from '../../core/errors.js';
import { outputError } from '../../record/output-error.js';
import { ExitStatus } from '../failure.js';

/**
 * Writes to standard output, and waits until it has been taken: a report may be larger than the memory.
 *
 * @throws ExitStatus 0 where nobody reads any longer (`| head` has seen enough), PagepulseError `OUTPUT`
 */
export function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (!error) resolve();
      else reject(systemCode(error) === 'EPIPE' ? new ExitStatus(0) : outputError(error, '-'));
    });
  });
}
