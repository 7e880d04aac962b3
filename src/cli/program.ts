import { Command, CommanderError, Help } from 'commander';
import { PagepulseError, systemCode } from '../core/errors.js';
import { isUtf8, useAscii } from '../report/characters.js';
import { VERSION } from '../version.js';
import { followOutput, leaveStuckOutput, note, print, report } from './output.js';

interface Listed {
  readonly name: string;
  /** For the list of commands. A command is loaded only if it is called. */
  readonly usage: string;
  readonly description: string;
  readonly load: () => Promise<(command: Command) => void>;
}

const COMMANDS: readonly Listed[] = [
  {
    name: 'doctor',
    usage: '[options]',
    description: 'check what Pagepulse can see on this machine, and what would help',
    load: async () => (await import('./doctor.js')).addDoctor,
  },
  {
    name: 'record',
    usage: '[options] [command...]',
    description: 'record which memory processes use',
    load: async () => (await import('./record.js')).addRecord,
  },
  {
    name: 'watch',
    usage: '[options] [command...]',
    description: 'show which memory processes use, live',
    load: async () => (await import('./watch.js')).addWatch,
  },
  {
    name: 'top',
    usage: '[options] [command...]',
    description: 'show many processes in one live table: working set, hot and cold memory',
    load: async () => (await import('./top/top.js')).addTop,
  },
  {
    name: 'report',
    usage: '',
    description: 'summarize a recording, or live processes over a period, as tables or JSON',
    load: async () => (await import('./report/report.js')).addReport,
  },
  {
    name: 'convert',
    usage: '[options] <record>',
    description: "convert a record, or a recording of the kernel's DAMON, to other formats",
    load: async () => (await import('./convert.js')).addConvert,
  },
  {
    name: 'tune',
    usage: '[options] [command...]',
    description: 'find suitable intervals for a process, and explain them',
    load: async () => (await import('./tune.js')).addTune,
  },
  {
    name: 'demo',
    usage: '[options]',
    description: 'watch a built-in workload with 64 MiB of hot and 256 MiB of cold memory',
    load: async () => (await import('./demo/demo.js')).addDemo,
  },
  {
    name: 'bench',
    usage: '[options]',
    description: 'measure what watching costs on this machine',
    load: async () => (await import('./bench/bench.js')).addBench,
  },
];

/** Runs the command line, and sets the exit status. */
export async function run(): Promise<void> {
  const terms = new Map<Command, string>();
  const program = new Command('pagepulse')
    .description('Shows which memory a running Linux process really uses.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      outputError: (text) => note(text.replace(/^error: /, '').trim()),
    })
    .configureHelp({ subcommandTerm: (command) => terms.get(command) ?? new Help().subcommandTerm(command) })
    .showSuggestionAfterError()
    .enablePositionalOptions();
  // Also for `pagepulse help record`.
  const called = process.argv.slice(2).find((word) => word !== 'help' && !word.startsWith('-'));
  for (const { name, usage, description, load } of COMMANDS) {
    const command = program.command(name).description(description);
    if (name === called) (await load())(command);
    else terms.set(command, `${name} ${usage}`.trim());
  }
  followOutput();
  useAscii(!isUtf8(process.env));
  const error = await errorOf(() => program.parseAsync());
  // The last output may fail after the command has ended; earlier failures have been thrown.
  const lateError = isOutputError(error) ? undefined : await errorOf(() => print(''));
  process.exitCode = statusOf(lateError ?? error);
  leaveStuckOutput();
}

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

/** The exit status, after reporting what went wrong. */
function statusOf(error: unknown): number {
  if (error === undefined) return 0;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (systemCode(error) === 'EMFILE') throw error; // main.ts reports it, since imports may fail with it too
  return report(error);
}
