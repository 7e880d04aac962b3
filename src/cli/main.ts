#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { systemCode } from '../core/errors.js';
import { outputError } from '../record/output-error.js';
import { VERSION } from '../version.js';
import { addBench } from './bench.js';
import { addConvert } from './convert.js';
import { addDemo } from './demo.js';
import { addDoctor } from './doctor.js';
import { report } from './failure.js';
import { addRecord } from './record.js';
import { addReport } from './report.js';
import { addTop } from './top.js';
import { addTune } from './tune.js';
import { addWatch } from './watch.js';

const program = new Command('pagepulse')
  .description('Shows which memory a running Linux process really uses.')
  .version(VERSION)
  .exitOverride()
  .configureOutput({
    outputError: (text, write) =>
      write(
        `pagepulse: ${text
          .replace(/^error: /, '')
          .trim()
          .replaceAll('\n', ' ')}\n`,
      ),
  })
  .showSuggestionAfterError()
  .enablePositionalOptions();
addDoctor(program);
addRecord(program);
addWatch(program);
addTop(program);
addReport(program);
addConvert(program);
addTune(program);
addDemo(program);
addBench(program);

// For what writes all it has and ends: help, doctor, bench. Whoever has more to write listens itself.
process.stdout.on('error', (error) => {
  // `| head` has seen enough.
  if (process.stdout.listenerCount('error') > 1 || systemCode(error) === 'EPIPE') return;
  process.exitCode = report(outputError(error, '-', { what: 'output', isKept: false }));
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else process.exitCode = report(error);
}
