import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './kernel/image.js';

const AVA = join(ROOT, 'node_modules/ava/entrypoints/cli.mjs');
/** Names the file that takes the titles: the tests run in processes of their own. */
const SECOND_TRIES = 'PAGEPULSE_LAB_SECOND_TRIES';

/** Called by a scenario that failed once and then passed. */
export function noteSecondTry(title: string): void {
  const path = process.env[SECOND_TRIES];
  if (path !== undefined) appendFileSync(path, `${title}\n`);
}

/**
 * Runs AVA, and ends with a line for each scenario that passed only on its second try. They pass the run, but one that
 * keeps turning up there needs a look.
 *
 * @returns the exit status
 */
export async function runTests(args: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'pagepulse-lab-tries-'));
  const path = join(folder, 'titles');
  try {
    const env = { ...process.env, [SECOND_TRIES]: path };
    const ava = spawn(process.execPath, [AVA, ...args], { stdio: 'inherit', env });
    process.once('exit', () => ava.kill());
    const [status] = await once(ava, 'exit');
    const titles = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
    for (const title of titles) console.log(`  passed only on its second try: ${title}`);
    return status ?? 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
