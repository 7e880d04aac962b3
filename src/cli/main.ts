#!/usr/bin/env node
import { VERSION } from '../version.js';

// Scripts ask for the version often: nothing else is loaded for it, unless it cannot be written.
if (['-V', '--version'].includes(process.argv[2] ?? '')) {
  process.stdout.on('error', async (error) => {
    const [{ report }, { unwritten }] = [await import('./failure.js'), await import('./output.js')];
    process.exitCode = report(unwritten(error));
  });
  process.stdout.write(`${VERSION}\n`);
} else {
  await (await import('./program.js')).run();
}
