import { execFileSync } from 'node:child_process';
import { PagepulseError, systemCode } from '../core/errors.js';

/**
 * The number of a user, as `id -u` tells it: users need not be in /etc/passwd.
 *
 * @throws PagepulseError `ATTRS`
 */
export function userId(name: string): number {
  try {
    const out = execFileSync('id', ['-u', '--', name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Number(out);
  } catch (error) {
    const help = 'give the number of a user, or a name that `getent passwd` lists';
    const what = systemCode(error) === 'ENOENT' ? 'cannot look up' : 'there is no';
    throw new PagepulseError('ATTRS', `${what} user ${name}; ${help}`, { cause: error });
  }
}
