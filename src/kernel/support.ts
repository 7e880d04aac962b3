import { closeSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { release } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { systemCode } from '../core/errors.js';
import { KPAGEFLAGS } from './frames.js';
import { IDLE_BITMAP } from './idle-bitmap.js';
import { readMappings } from './maps.js';
import { pageSize } from './page-size.js';
import { Pagemap } from './pagemap.js';
import { attempt } from './text-file.js';

/** Whether this machine offers something, and if not why, and what would change that. */
export type Support =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: string; readonly help: string };

const SUPPORTED: Support = { ok: true };

const MOUNT_PROC =
  'mount the /proc of this namespace (`mount -t proc proc /proc`, or start it with `unshare --mount-proc`), or run ' +
  'Pagepulse outside';

/**
 * /proc, which only Linux has, with the PIDs that the rest of this program uses. In a new PID namespace, a /proc that was
 * mounted outside numbers all processes differently (pid_namespaces(7)): a PID that was given, or that of a command that was
 * started, would be another process's. It shows in how it calls this process.
 */
export function procSupport(): Support {
  if (process.platform !== 'linux') {
    return lacks(`this is ${process.platform}, not Linux`, 'run Pagepulse on Linux, where the processes are');
  }
  const self = attempt(() => readlinkSync('/proc/self'));
  if (self === String(process.pid)) return SUPPORTED;
  const reason =
    self === undefined
      ? '/proc is not mounted, or does not show this process'
      : `/proc belongs to another PID namespace: it calls this process ${self}, not ${process.pid}`;
  return lacks(reason, MOUNT_PROC);
}

/** The idle bitmap, frame numbers in pagemap, and kpageflags: all three are needed. */
export function idlePageSupport(): Support {
  const proc = procSupport();
  if (!proc.ok) return proc;
  const code = openingFails(IDLE_BITMAP, 'r+');
  if (code === 'ENOENT') return noIdleBitmap();
  return code === undefined ? framesSupport() : refused(IDLE_BITMAP, code);
}

/** Frame numbers in pagemap, and kpageflags: which frames a process has, and of what kind they are. */
export function framesSupport(): Support {
  const proc = procSupport();
  if (!proc.ok) return proc;
  const code = openingFails(KPAGEFLAGS, 'r');
  if (code !== undefined) return refused(KPAGEFLAGS, code);
  if (seesFrames()) return SUPPORTED;
  return lacks('the kernel hides frame numbers (pagemap reads 0)', 'run as root, or give it CAP_SYS_ADMIN');
}

/** clear_refs and smaps of this user's processes; those of other users need root besides. */
export function referencedSupport(): Support {
  const proc = procSupport();
  if (!proc.ok) return proc;
  // Opening clear_refs for writing changes nothing.
  for (const [file, flags] of [
    ['/proc/self/smaps', 'r'],
    ['/proc/self/clear_refs', 'w'],
  ] as const) {
    const code = openingFails(file, flags);
    if (code !== undefined) return refused(file, code);
  }
  return SUPPORTED;
}

/**
 * Whether the kernel moves pages between memory nodes by itself (numa_balancing). To see which processor uses a page it
 * makes the page inaccessible for a while, which costs the target and blurs when pages are accessed.
 */
export function numaBalancing(): boolean {
  const value = textOf('/proc/sys/kernel/numa_balancing');
  return value !== undefined && value.trim() !== '0';
}

/** When the kernel makes transparent huge pages: always, madvise (only on request), or never, also if it cannot. */
export function transparentHugePages(): string {
  const modes = textOf('/sys/kernel/mm/transparent_hugepage/enabled') ?? '';
  return /\[(\w+)\]/.exec(modes)?.[1] ?? 'never';
}

/** Pages in a transparent huge page; 512 (2 MiB of 4 KiB pages) if the kernel has none. */
export function hugePagePages(): number {
  const bytes = Number(textOf('/sys/kernel/mm/transparent_hugepage/hpage_pmd_size'));
  return bytes > 0 ? bytes / pageSize() : 512;
}

function noIdleBitmap(): Support {
  if (kernelOption('CONFIG_IDLE_PAGE_TRACKING') === 'y') {
    return lacks(
      `${IDLE_BITMAP} is hidden, though the kernel has idle page tracking`,
      'run outside the container, or mount /sys there',
    );
  }
  return lacks(
    `this kernel (${release()}) was built without idle page tracking`,
    'boot a kernel built with CONFIG_IDLE_PAGE_TRACKING=y',
  );
}

function refused(path: string, code: string): Support {
  switch (code) {
    case 'ENOENT':
      return lacks('the kernel was built without CONFIG_PROC_PAGE_MONITOR', 'boot a kernel that has it');
    case 'EACCES':
    case 'EPERM':
      return lacks(`cannot open ${path}: permission denied`, 'run as root');
    case 'EROFS':
      return lacks(`${path} is read-only here`, 'run outside the container, or mount /sys writable');
    default:
      return lacks(`cannot open ${path} (${code})`, 'see `dmesg` for the reason');
  }
}

function lacks(reason: string, help: string): Support {
  return { ok: false, reason, help };
}

/** The error code with which opening fails, or undefined if it does not. */
function openingFails(path: string, flags: string): string | undefined {
  try {
    closeSync(openSync(path, flags));
    return undefined;
  } catch (error) {
    return systemCode(error) ?? String(error);
  }
}

/** Looks at our own stack, which is certainly present. */
function seesFrames(): boolean {
  const stack = readMappings(process.pid).find(({ name }) => name === '[stack]');
  if (!stack) return false;
  const pagemap = new Pagemap(process.pid);
  try {
    return pagemap.frameOf(stack.endPage - 1) > 0;
  } finally {
    pagemap.close();
  }
}

/** The value of an option the kernel was built with, from /proc/config.gz or the file in /boot. */
function kernelOption(name: string): string | undefined {
  const config =
    attempt(() => gunzipSync(readFileSync('/proc/config.gz')).toString('utf8')) ??
    textOf(`/boot/config-${release()}`);
  return config === undefined ? undefined : new RegExp(`(?:^|\n)${name}=([^\n]*)`).exec(config)?.[1];
}

function textOf(path: string): string | undefined {
  return attempt(() => readFileSync(path, 'utf8'));
}
