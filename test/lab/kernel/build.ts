import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { requireTools } from '../machine/tools.js';
import { cachedImage, KERNEL_CONFIG } from './image.js';

// `npm run lab:kernel`: builds the lab's kernel from Debian's source package into the cache that image.ts names.

const PACKAGE = 'linux-source-6.12';

function build(): void {
  const image = cachedImage();
  if (existsSync(image)) {
    console.log(`the lab's kernel is there: ${image}`);
    return;
  }
  requireTools({
    'apt-get': 'apt (Debian 12 or later; elsewhere name a kernel of your own in PAGEPULSE_LAB_KERNEL)',
    gcc: 'gcc libc6-dev',
    make: 'make',
    flex: 'flex',
    bison: 'bison',
    bc: 'bc',
    xz: 'xz-utils',
    '/usr/include/gelf.h': 'libelf-dev',
  });
  const folder = mkdtempSync(join(tmpdir(), 'pagepulse-kernel-'));
  try {
    const source = unpack(folder);
    const make = (...args: string[]) => run('make', ['-s', `-j${availableParallelism()}`, ...args], source);
    make(`KCONFIG_ALLCONFIG=${KERNEL_CONFIG}`, 'allnoconfig');
    requireOptions(join(source, '.config'));
    make('bzImage');
    mkdirSync(dirname(image), { recursive: true });
    copyFileSync(join(source, 'arch/x86/boot/bzImage'), image);
    console.log(`built ${image}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Fetches the source package and returns the folder of the kernel's source. */
function unpack(folder: string): string {
  try {
    run('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', PACKAGE], folder);
  } catch {
    throw new Error(`apt-get has no ${PACKAGE}: run \`apt-get update\` first (Debian 12 or later has it)`);
  }
  const [file] = readdirSync(folder);
  run('dpkg-deb', ['-x', file!, '.'], folder);
  run('tar', ['-xf', `usr/src/${PACKAGE}.tar.xz`], folder);
  return join(folder, PACKAGE);
}

/** An option that needs another one which is not there is left out without a word: a lab that lacks it shows nothing. */
function requireOptions(config: string): void {
  const has = new Set(readFileSync(config, 'utf8').split('\n'));
  const missing = readFileSync(KERNEL_CONFIG, 'utf8')
    .split('\n')
    .filter((line) => /^CONFIG_\w+=/.test(line) && !has.has(line));
  if (missing.length > 0) throw new Error(`the kernel's build did not take ${missing.join(', ')}`);
}

function run(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
}

try {
  build();
} catch (error) {
  console.error(`lab:kernel: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
