import { execFile } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Answer, answerFile, READY_FILE, type Request, requestFile } from '../machine/protocol.js';
import { compare } from './compare.js';
import { observeWorkloads } from './observe.js';
import { sampleInGuest } from './sample.js';
import { watch } from './watch.js';

// Runs in the guest, as the only one who listens: does what is asked, one request after the other.

const OUT = '/out';
const POLL_MS = 50;

async function answer(request: Request): Promise<unknown> {
  switch (request.kind) {
    case 'shell':
      return shell(request.script);
    case 'watch':
      return watch(request);
    case 'compare':
      return compare(request);
    case 'observe':
      return observeWorkloads(request);
    case 'sample':
      return sampleInGuest();
  }
}

async function shell(script: string): Promise<string> {
  const options = { cwd: OUT, maxBuffer: 2 ** 26 };
  const whole = `trap 'kill -9 $(jobs -p) 2>/dev/null || true' EXIT\n${script}`;
  const { stdout } = await promisify(execFile)('bash', ['-eu', '-o', 'pipefail', '-c', whole], options);
  return stdout;
}

/** Whole at once: who waits for it sees it when its name is there. */
function leave(name: string, text: string): void {
  writeFileSync(`${OUT}/${name}.new`, text);
  renameSync(`${OUT}/${name}.new`, `${OUT}/${name}`);
}

leave(READY_FILE, '');
for (let id = 0; ; id++) {
  const path = `${OUT}/${requestFile(id)}`;
  while (!existsSync(path)) await pause(POLL_MS);
  const request = JSON.parse(readFileSync(path, 'utf8')) as Request;
  let said: Answer;
  try {
    said = { ok: true, value: await answer(request) };
  } catch (error) {
    const { message, stderr = '' } = error as Error & { stderr?: string };
    said = { ok: false, message: `${message}\n${stderr}` };
  }
  leave(answerFile(id), JSON.stringify(said));
}
