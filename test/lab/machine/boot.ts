import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, closeSync, copyFileSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { kernelImage, ROOT } from '../kernel/image.js';
import { requireTools } from './tools.js';

export const CPUS = 2;

/** Two nodes of memory, for the kernel to balance where a test tells it to. */
const KERNEL_WORDS = 'console=ttyS0 quiet panic=-1 numa=fake=2';

/** In the folder of a guest: what it has printed so far. */
export const CONSOLE_FILE = 'console';
/** In the folder of a guest: there as soon as it has ended. */
export const ENDED_FILE = 'ended';

/**
 * Boots the lab's kernel in QEMU, in software: no KVM is needed, and everything is some tens of times slower. The guest
 * ends when the script /out/start does, and with this process.
 *
 * @param folder for what booting needs; its folder `out` is /out in the guest, and holds the script to `start`
 * @throws Error with the command that installs what is missing
 */
export function boot(folder: string): ChildProcess {
  requireTools({
    'qemu-system-x86_64': 'qemu-system-x86',
    busybox: 'busybox-static',
    cpio: 'cpio',
    gzip: 'gzip',
  });
  const kernel = kernelImage();
  const initrd = makeInitrd(folder);
  const share = (id: string, path: string, more = '') => [
    ...['-fsdev', `local,id=${id},path=${path},security_model=none${more}`],
    ...['-device', `virtio-9p-pci,fsdev=${id},mount_tag=${id}`],
  ];
  const output = openSync(join(folder, CONSOLE_FILE), 'w');
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', String(CPUS), '-m', '2G'],
      ...['-nographic', '-no-reboot', '-nodefaults', '-serial', 'stdio', '-monitor', 'none'],
      ...['-kernel', kernel, '-initrd', initrd, '-append', KERNEL_WORDS],
      ...share('root', '/', ',readonly=on,multidevs=remap'),
      ...share('out', join(folder, 'out')),
    ],
    { stdio: ['ignore', output, output] },
  );
  process.once('exit', () => qemu.kill('SIGKILL'));
  qemu.once('exit', () => closeSync(openSync(join(folder, ENDED_FILE), 'w')));
  closeSync(output);
  return qemu;
}

/** The initial file system: busybox, and init.sh. */
function makeInitrd(folder: string): string {
  const root = join(folder, 'initrd');
  for (const name of ['bin', 'proc', 'sys', 'dev', 'new', 'below', 'layer']) {
    mkdirSync(join(root, name), { recursive: true });
  }
  const busybox = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
  copyFileSync(busybox, join(root, 'bin/busybox'));
  copyFileSync(join(ROOT, 'test/lab/machine/init.sh'), join(root, 'init'));
  chmodSync(join(root, 'init'), 0o755);
  const file = `${root}.gz`;
  execFileSync('sh', ['-c', `find . | cpio -o -H newc --quiet | gzip -1 >${file}`], { cwd: root });
  return file;
}
