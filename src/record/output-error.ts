import { PagepulseError, systemCode } from '../core/errors.js';

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'it already exists; choose another name, or use --force to replace it',
  ENOENT: 'its directory does not exist; create it, or choose another path',
  ENOTDIR: 'part of the path is a file, not a directory; choose another path',
  EISDIR: 'it is a directory; give a file',
  NOT_REGULAR: 'not a regular file; choose another path, or write to standard output with `-o -`',
  EACCES: 'permission denied; choose a directory of your own',
  EPERM: 'permission denied; choose a directory of your own',
  EROFS: 'the file system is read-only; choose another path',
  ENAMETOOLONG: 'the name is too long; choose a shorter one',
  ENOSPC: 'the disk is full; free some space, or choose another path',
  EDQUOT: 'the disk quota is used up; free some space, or choose another path',
  EFBIG: 'the file size limit is reached (`ulimit -f`)',
  EPIPE: 'its reader has closed it',
  STALLED: 'its reader has stopped reading, so the end is missing',
};

/** After these, the file holds the first part of what was written. */
const AFTER_SOME_OUTPUT = ['ENOSPC', 'EDQUOT', 'EFBIG', 'STALLED'];

/**
 * Why output could not be written, as a PagepulseError `OUTPUT` with the system's error as its cause.
 *
 * @param options.what the output in messages
 * @param options.isKept whether what was written before stays and can be read
 */
export function outputError(
  error: unknown,
  path: string,
  { what = 'record', isKept = true } = {},
): PagepulseError {
  if (error instanceof PagepulseError) return error;
  const name = path === '-' ? 'standard output' : path;
  const message = error instanceof Error ? error.message : String(error);
  const code = systemCode(error) ?? '';
  const reason = REASONS[code] ?? `${message}; choose another path`;
  const kept = isKept && AFTER_SOME_OUTPUT.includes(code) ? '. What was written before can be read' : '';
  return new PagepulseError('OUTPUT', `cannot write the ${what} to ${name}: ${reason}${kept}`, {
    cause: error,
  });
}
