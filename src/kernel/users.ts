import { execFileSync } from 'node:child_process';
import { PagepulseError, systemCode } from '../core/errors.js';
import { attempt, readTextFile, SYSTEM_FILE_LIMIT } from './text-file.js';

/** Run by absolute path and without the caller's environment: PATH must not choose what root runs. */
const ID = '/usr/bin/id';

/**
 * The number of a user, from `id -u`: users need not be in /etc/passwd. Without `/usr/bin/id`, only those in /etc/passwd
 * are found.
 *
 * @throws PagepulseError `ATTRS`
 */
export function userId(name: string): number {
  try {
    const out = execFileSync(ID, ['-u', '--', name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: {},
    });
    return Number(out);
  } catch (error) {
    const uid = systemCode(error) === 'ENOENT' ? uidInPasswd(name) : undefined;
    if (uid !== undefined) return uid;
    throw new PagepulseError(
      'ATTRS',
      `there is no user ${name}; give a UID, or a name that \`getent passwd\` lists`,
      { cause: error },
    );
  }
}

/** From lines `name:password:uid:...` (passwd(5)). */
function uidInPasswd(name: string): number | undefined {
  const text = attempt(() => readTextFile('/etc/passwd', SYSTEM_FILE_LIMIT)) ?? '';
  const uid = text
    .split('\n')
    .map((line) => line.split(':'))
    .find(([user]) => user === name)?.[2];
  return uid && /^\d+$/.test(uid) ? Number(uid) : undefined;
}
