import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** What the kernel is built with, each option with its reason. */
export const KERNEL_CONFIG = join(ROOT, 'test/lab/kernel/kernel.config');

/** The kernel that build.ts makes; another one where the configuration has changed since. */
export function cachedImage(): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const version = createHash('sha256').update(readFileSync(KERNEL_CONFIG)).digest('hex').slice(0, 12);
  return join(cache, 'pagepulse', `bzImage-${version}`);
}

/**
 * The kernel to boot: PAGEPULSE_LAB_KERNEL, else the one built here.
 *
 * @throws Error with the command that makes it
 */
export function kernelImage(): string {
  const given = process.env.PAGEPULSE_LAB_KERNEL;
  const image = given ?? cachedImage();
  if (existsSync(image)) return image;
  throw new Error(
    given
      ? `there is no kernel image ${given}, which PAGEPULSE_LAB_KERNEL names`
      : 'there is no kernel for the lab: build one with `npm run lab:kernel` (some minutes), or name one in PAGEPULSE_LAB_KERNEL',
  );
}
