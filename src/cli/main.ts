#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { PagepulseError } from '../core/errors.js';
import { isUtf8, useAscii } from '../report/characters.js';
import { VERSION } from '../version.js';
import { report } from './failure.js';
import { followOutput, print } from './output.js';

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

followOutput();
useAscii(!isUtf8(process.env));
const error = await errorOf(() => program.parseAsync());
// What was written last may fail after the command has ended; what failed before has been thrown already.
const lateError = isOutputError(error) ? undefined : await errorOf(() => print(''));
process.exitCode = statusOf(lateError ?? error);

async function errorOf(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
}

function isOutputError(error: unknown): boolean {
  return error instanceof PagepulseError && error.code === 'OUTPUT';
}

/** The exit status, after saying what went wrong. */
function statusOf(error: unknown): number {
  if (error === undefined) return 0;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return report(error);
}
