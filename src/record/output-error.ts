import { PagepulseError, systemCode } from '../core/errors.js';

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'it exists already; give another name, or --force to replace it',
  ENOENT: 'its folder does not exist; create it, or give another name',
  ENOTDIR: 'its folder is a file; give another name',
  EISDIR: 'it is a folder; give the name of a file',
  NOT_REGULAR: 'not a regular file; choose another name, or write to standard output with `-o -`',
  EACCES: 'this user may not write there; give a name in a folder of your own',
  EPERM: 'this user may not write there; give a name in a folder of your own',
  EROFS: 'the file system is read-only; give a name elsewhere',
  ENAMETOOLONG: 'the name is too long; give a shorter one',
  ENOSPC: 'the disk is full; free some space, or give a name elsewhere',
  EDQUOT: 'the quota is used up; free some space, or give a name elsewhere',
  EFBIG: 'the file may not grow any larger (`ulimit -f`)',
  EPIPE: 'its reader has closed it',
  STALLED: 'its reader has stopped reading, so the end is missing',
};

/** After these, there is a file with a part of what was to be in it. */
const ON_THE_WAY = ['ENOSPC', 'EDQUOT', 'EFBIG', 'STALLED'];

/**
 * What kept a record from being written, as a PagepulseError `OUTPUT`; its cause is the system's error, with its code.
 *
 * @param options.what what it was that was to be written
 * @param options.isKept whether what was written before stays, and can be read
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
  const reason = REASONS[code] ?? `${message}; give a name elsewhere`;
  const rest = isKept && ON_THE_WAY.includes(code) ? '. What was written before can be read' : '';
  return new PagepulseError('OUTPUT', `cannot write the ${what} to ${name}: ${reason}${rest}`, {
    cause: error,
  });
}
