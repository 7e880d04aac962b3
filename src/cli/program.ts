import { Command, CommanderError, Help } from 'commander';
import { PagepulseError, systemCode } from '../core/errors.js';
import { isUtf8, useAscii } from '../report/terminal-text.js';
import { VERSION } from '../version.js';
import { note, report } from './failure.js';
import { followOutput, leaveStuckOutput, print } from './output.js';

interface Listed {
  readonly name: string;
  /** What the list of commands says of it: as the command itself does, which is loaded only where it is called. */
  readonly usage: string;
  readonly description: string;
  readonly load: () => Promise<(program: Command) => void>;
}

const COMMANDS: readonly Listed[] = [
  {
    name: 'doctor',
    usage: '[options]',
    description: 'tell what this machine lets Pagepulse see, and what would help',
    load: async () => (await import('./doctor.js')).addDoctor,
  },
  {
    name: 'record',
    usage: '[options] [command...]',
    description: 'record which memory processes use, for later',
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
    description: 'show many processes in one table, live: working set, hot and cold memory of each',
    load: async () => (await import('./top/top.js')).addTop,
  },
  {
    name: 'report',
    usage: '',
    description: 'what records come to, or processes that are watched for a while: tables, or JSON',
    load: async () => (await import('./report/report.js')).addReport,
  },
  {
    name: 'convert',
    usage: '[options] <record>',
    description: "convert a record, or a recording of the kernel's DAMON, for other programs",
    load: async () => (await import('./convert.js')).addConvert,
  },
  {
    name: 'tune',
    usage: '[options] [command...]',
    description: 'find intervals that suit a process, and say why',
    load: async () => (await import('./tune.js')).addTune,
  },
  {
    name: 'demo',
    usage: '[options]',
    description: 'watch a small workload of its own, with 64 MiB of hot and 256 MiB of cold memory',
    load: async () => (await import('./demo/demo.js')).addDemo,
  },
  {
    name: 'bench',
    usage: '[options]',
    description: 'measure what watching costs here: on a process, or on a workload of its own',
    load: async () => (await import('./bench/bench.js')).addBench,
  },
];

/** Runs what the command line says, and sets the exit status. */
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
  // `pagepulse help record` calls it too.
  const called = process.argv.slice(2).find((word) => word !== 'help' && !word.startsWith('-'));
  for (const { name, usage, description, load } of COMMANDS) {
    if (name === called) (await load())(program);
    else terms.set(program.command(name).description(description), `${name} ${usage}`.trim());
  }
  followOutput();
  useAscii(!isUtf8(process.env));
  const error = await errorOf(() => program.parseAsync());
  // What was written last may fail after the command has ended; what failed before has been thrown already.
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

/** The exit status, after saying what went wrong. */
function statusOf(error: unknown): number {
  if (error === undefined) return 0;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (systemCode(error) === 'EMFILE') throw error; // main.ts reports it, for this may fail as early as in an import
  return report(error);
}
