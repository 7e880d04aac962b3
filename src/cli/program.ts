import { Command, CommanderError, Help } from 'commander';
import { PagepulseError, systemCode } from '../core/errors.js';
import { isUtf8, useAscii } from '../report/terminal-text.js';
import { VERSION } from '../version.js';
import { followOutput, leaveStuckOutput, note, print, report } from './output.js';

const LIVE = '[options] [command...]';

/** For the list of commands: usage, description, and the module, which is loaded only if the command is called. */
const COMMANDS: Readonly<
  Record<string, readonly [string, string, () => Promise<{ define(command: Command): void }>]>
> = {
  doctor: ['[options]', 'check what Pagepulse can see on this machine', () => import('./doctor.js')],
  record: [LIVE, 'record which memory processes use', () => import('./record.js')],
  watch: [LIVE, 'show which memory processes use, live', () => import('./watch.js')],
  top: [LIVE, 'show many processes live: working set, hot and cold memory', () => import('./top/top.js')],
  report: ['', 'summarise a recording, or live processes over a period', () => import('./report/report.js')],
  convert: [
    '[options] <record>',
    "convert records of Pagepulse or the kernel's DAMON",
    () => import('./convert.js'),
  ],
  tune: [LIVE, 'find suitable intervals for a process, and explain them', () => import('./tune.js')],
  demo: [
    '[options]',
    'watch a workload of 64 MiB hot and 256 MiB cold memory',
    () => import('./demo/demo.js'),
  ],
  bench: ['[options]', 'measure what watching costs on this machine', () => import('./bench/bench.js')],
};

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
  for (const [name, [usage, description, load]] of Object.entries(COMMANDS)) {
    const command = program.command(name).description(description);
    if (name === called) (await load()).define(command);
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
