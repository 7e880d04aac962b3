import { PagepulseError, systemCode } from '../core/errors.js';
import { FileTooLong } from './text-file.js';

/** Of root in a container or a service. */
const ROOT_LACKS = 'root lacks a capability here: docs/security.md says which it needs';

/**
 * Turns the error of a system call on /proc/PID/... into one that says what to do.
 *
 * @param what was tried, as in `read the mappings of process 42`
 */
export function processError(error: unknown, pid: number, what: string): PagepulseError {
  if (error instanceof PagepulseError) return error;
  const cause = { cause: error };
  if (error instanceof FileTooLong) {
    const limit = `${error.limitBytes / 2 ** 20} MiB of ${error.path}`;
    const message = `cannot ${what}: too many mappings to read within ${limit}; exclude this process`;
    return new PagepulseError('TOO_LARGE', message, cause);
  }
  switch (systemCode(error)) {
    case 'ENOENT':
    case 'ESRCH': {
      const message = `no process with PID ${pid}; run \`ps -e\` to list processes`;
      return new PagepulseError('NO_PROCESS', message, cause);
    }
    case 'EACCES':
    case 'EPERM': {
      const help = process.geteuid?.() === 0 ? ROOT_LACKS : 'run as its user or as root';
      const why = 'permission denied, it belongs to another user or is protected';
      return new PagepulseError('PERMISSION', `cannot ${what}: ${why}; ${help}`, cause);
    }
    case 'EMFILE':
    case 'ENFILE': {
      const message = `cannot ${what}: too many open files; raise the limit with \`ulimit -n\``;
      return new PagepulseError('LIMIT', message, cause);
    }
    default: {
      const why = error instanceof Error ? error.message : String(error);
      return new PagepulseError('UNSUPPORTED', `cannot ${what}: ${why}`, cause);
    }
  }
}
