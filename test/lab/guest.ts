import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import type { ExecutionContext } from 'ava';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const LAB = process.env.PAGEPULSE_LAB ?? join(ROOT, '../shared/lab');
const SOURCES = join(ROOT, 'test/lab/workloads');

/** A folder for the test's files, which the guest sees too (read-only). */
export interface Lab {
  readonly folder: string;
  /** The compiled workloads: `hotcold`, `churn`, `workload`. */
  readonly bin: string;
}

/** Compiles the workloads. What is missing on this machine fails the test, with the command that installs it. */
export function openLab(t: ExecutionContext): Lab {
  if (!existsSync(join(LAB, 'run'))) {
    throw new Error(
      `there is no lab in ${LAB}: set PAGEPULSE_LAB to the folder with \`run\` and \`bzImage\``,
    );
  }
  const tools = {
    'qemu-system-x86_64': 'qemu-system-x86',
    busybox: 'busybox-static',
    cpio: 'cpio',
    gcc: 'gcc libc6-dev',
  };
  for (const [tool, packages] of Object.entries(tools)) {
    if (spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0) {
      throw new Error(`${tool} is missing: apt-get install -y --no-install-recommends ${packages}`);
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'pagepulse-lab-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const sources = [join(LAB, 'hotcold.c'), join(LAB, 'churn.c'), join(SOURCES, 'workload.c')];
  for (const source of sources) {
    const name = source.replace(/.*\/(.*)\.c$/, '$1');
    execFileSync('gcc', ['-O2', '-o', join(bin, name), source], { stdio: 'inherit' });
  }
  return { folder, bin };
}

/**
 * Runs a shell script in the guest, as root, with one `churn` on each of its two processors (the emulator would not see
 * accesses otherwise) and the workloads in PATH; `pagepulse` is this checkout's. What it leaves in /out is returned by
 * name.
 */
export async function inGuest(lab: Lab, script: string, seconds: number): Promise<(name: string) => string> {
  const out = mkdtempSync(join(lab.folder, 'out-'));
  const file = join(out, 'script.sh');
  writeFileSync(file, PRELUDE.replaceAll('@BIN@', lab.bin).replaceAll('@ROOT@', ROOT) + script);
  const args = ['-c', '2', '-m', '2G', '-t', String(seconds), '-o', out, 'bash', file];
  const child = spawn(join(LAB, 'run'), args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: dirname(file) });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      log += data;
    });
  }
  const [status] = await once(child, 'close');
  log = stripVTControlCharacters(log);
  if (status !== 0) throw new Error(`the guest ended with status ${status}:\n${log.slice(-3_000)}`);
  return (name) => {
    const path = join(out, name);
    if (!existsSync(path)) throw new Error(`the guest left no ${name}:\n${log.slice(-3_000)}`);
    return readFileSync(path, 'utf8');
  };
}

const PRELUDE = `set -eu
PATH=@BIN@:$PATH
DIST=@ROOT@dist
pagepulse() { node $DIST/src/cli/main.js "$@"; }
# Waits until a workload has told its addresses.
ready() { for _ in $(seq 300); do [ -s "$1" ] && return; sleep 0.1; done; echo "$1 told nothing"; exit 1; }
# Waits until the recording has begun.
seen() { until grep -q '"snapshot"' /out/record 2>/dev/null; do sleep 0.5; done; }
for cpu in 0 1; do taskset -c $cpu churn & done
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
`;
