#!/usr/bin/env node
import { VERSION } from '../version.js';

// By default this signal makes Node listen for a debugger. Every user of the machine could connect to it and run code as
// this user, who is mostly root.
process.on('SIGUSR1', () => {});

// Scripts ask for the version often, so it loads nothing else unless it cannot be written.
if (['-V', '--version'].includes(process.argv[2] ?? '')) {
  process.stdout.on('error', async (error) => {
    const { reportOutputError } = await import('./output.js');
    process.exitCode = reportOutputError(error);
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
