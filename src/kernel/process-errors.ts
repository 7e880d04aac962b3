import { PagepulseError, systemCode } from '../core/errors.js';
import { FileTooLong } from './text-file.js';

/** Of root in a container or a service. */
const ROOT_LACKS = 'root lacks a capability here: docs/security.md says which it needs';

/**
 * Turns what a system call on /proc/PID/... raised into an error a stranger can act on.
 *
 * @param what what was tried, as in `read the mappings of process 42`
 */
export function processError(error: unknown, pid: number, what: string): PagepulseError {
  if (error instanceof PagepulseError) return error;
  const cause = { cause: error };
  if (error instanceof FileTooLong) {
    return new PagepulseError(
      'TOO_LARGE',
      `cannot ${what}: too many mappings to read within ${error.limitBytes / 2 ** 20} MiB of ${error.path}; ` +
        'exclude this process',
      cause,
    );
  }
  switch (systemCode(error)) {
    case 'ENOENT':
    case 'ESRCH':
      return new PagepulseError(
        'NO_PROCESS',
        `no process with PID ${pid}; run \`ps -e\` to list processes`,
        cause,
      );
    case 'EACCES':
    case 'EPERM':
      return new PagepulseError(
        'PERMISSION',
        `may not ${what}: it belongs to another user or is protected; ${
          process.geteuid?.() === 0 ? ROOT_LACKS : 'run as its user or as root'
        }`,
        cause,
      );
    case 'EMFILE':
    case 'ENFILE':
      return new PagepulseError(
        'LIMIT',
        `could not ${what}: too many files are open; raise the limit with \`ulimit -n\``,
        cause,
      );
    default:
      return new PagepulseError(
        'UNSUPPORTED',
        `could not ${what}: ${error instanceof Error ? error.message : String(error)}`,
        cause,
      );
  }
}
