#!/usr/bin/env node
import { VERSION } from '../version.js';

// For what writes all it has and ends: help, doctor, bench. Commands that have more to write listen themselves.
process.stdout.on('error', async (error: NodeJS.ErrnoException) => {
  // `| head` has seen enough.
  if (process.stdout.listenerCount('error') > 1 || error.code === 'EPIPE') return;
  const [{ outputError }, { report }] = await Promise.all([
    import('../record/output-error.js'),
    import('./failure.js'),
  ]);
  process.exitCode = report(outputError(error, '-', { what: 'output', isKept: false }));
});

// Scripts ask for the version often: nothing else is loaded for it.
if (['-V', '--version'].includes(process.argv[2] ?? '')) process.stdout.write(`${VERSION}\n`);
else await (await import('./program.js')).run();
