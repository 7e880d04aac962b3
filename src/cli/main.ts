#!/usr/bin/env node
import { VERSION } from '../version.js';

// By default this signal makes Node listen for a debugger, to which every user of the machine could connect and run code
// as this user, mostly root.
process.on('SIGUSR1', () => {});

// Scripts ask for the version often: nothing else is loaded for it, unless it cannot be written.
if (['-V', '--version'].includes(process.argv[2] ?? '')) {
  process.stdout.on('error', async (error) => {
    const [{ report }, { unwritten }] = [await import('./failure.js'), await import('./output.js')];
    process.exitCode = report(unwritten(error));
  });
  process.stdout.write(`${VERSION}\n`);
} else {
  try {
    await (await import('./program.js')).run();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error;
    process.exitCode = 1;
    process.stderr.write('pagepulse: not enough file descriptors; raise the limit with `ulimit -n 1024`\n');
  }
}
