#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { systemCode } from '../core/errors.js';
import { outputError } from '../record/output-error.js';
import { VERSION } from '../version.js';
import { report } from './failure.js';

const COMMANDS = {
  doctor: async () => (await import('./doctor.js')).addDoctor,
  record: async () => (await import('./record.js')).addRecord,
  watch: async () => (await import('./watch.js')).addWatch,
  top: async () => (await import('./top.js')).addTop,
  report: async () => (await import('./report.js')).addReport,
  convert: async () => (await import('./convert.js')).addConvert,
  tune: async () => (await import('./tune.js')).addTune,
  demo: async () => (await import('./demo.js')).addDemo,
  bench: async () => (await import('./bench.js')).addBench,
};

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

// Only what is called is loaded; for help, and for what is no command, all.
const called = process.argv[2] ?? '';
const names = (
  Object.hasOwn(COMMANDS, called) ? [called] : Object.keys(COMMANDS)
) as (keyof typeof COMMANDS)[];
for (const add of await Promise.all(names.map((name) => COMMANDS[name]()))) add(program);

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
