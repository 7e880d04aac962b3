import { PagepulseError, systemCode } from '../../core/errors.js';
import { ExitStatus } from '../failure.js';

let isListening = false;

/**
 * Writes to standard output, and waits until that is done: a report may be larger than the memory.
 *
 * @throws ExitStatus 0 where nobody reads any longer (`| head` has seen enough), PagepulseError `OUTPUT`
 */
export async function print(text: string): Promise<void> {
  const { stdout } = process;
  // The write below hears of errors; without anybody who listens they would end the program.
  if (!isListening) stdout.on('error', () => {});
  isListening = true;
  const error = await new Promise<Error | null | undefined>((resolve) => stdout.write(text, resolve));
  if (!error) return;
  if (systemCode(error) === 'EPIPE') throw new ExitStatus(0);
  throw new PagepulseError('OUTPUT', `cannot write the report: ${error.message}; send it elsewhere`, {
    cause: error,
  });
}
