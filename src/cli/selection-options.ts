import { type Command, InvalidArgumentError } from 'commander';
import type { Run, Selection } from '../processes/selection.js';

/** Which processes a command is about, on its command line. */
export interface SelectionOptions {
  readonly pid?: readonly number[];
  readonly name?: readonly RegExp[];
  readonly user?: readonly string[];
  readonly cgroup?: readonly string[];
  readonly container?: readonly string[];
  readonly children?: boolean;
  readonly exclude?: readonly RegExp[];
  readonly maxTargets?: number;
}

/** Adds the options of SelectionOptions. All but --children and --max-targets can be given several times. */
export function addSelectionOptions(command: Command): Command {
  return command
    .option('-p, --pid <pid>', 'a process; can be given several times, as the next four', parsePids)
    .option('--name <regex>', 'processes whose name or command line has this in it', parsePattern)
    .option('--user <user>', 'processes of this user, by name or number', parseText)
    .option('--cgroup <path>', 'processes in this cgroup, and in all below it', parseText)
    .option('--container <id>', 'processes in this container, by the begin of its id', parseText)
    .option('--children', 'all descendants of these too (default for a command)')
    .option('--exclude <regex>', 'none whose name or command line has this in it', parsePattern)
    .option('--max-targets <n>', 'at most so many processes at a time', parseCount);
}

/** The selection that these options ask for. */
export function selectionOf(options: SelectionOptions, runs: readonly Run[] = []): Selection {
  const { pid, name, user, cgroup, container, children, exclude, maxTargets } = options;
  return {
    ...(pid && { pids: pid }),
    runs: runs.map(({ pid, mark }) => ({ pid, ...(mark !== undefined && { mark }) })),
    ...(name && { names: name }),
    ...(user && { users: user }),
    ...(cgroup && { cgroups: cgroup }),
    ...(container && { containers: container }),
    ...(children && { children }),
    ...(exclude && { exclude }),
    ...(maxTargets !== undefined && { maxTargets }),
  };
}

/** Whether processes are looked for, rather than named. */
export function hasFilters({ name, user, cgroup, container }: SelectionOptions): boolean {
  return [name, user, cgroup, container].some((kind) => kind !== undefined);
}

export function parsePids(text: string, before: readonly number[] = []): number[] {
  const pid = Number(text);
  if (!/^\d+$/.test(text) || pid < 1 || pid > 0x7fff_ffff) {
    throw new InvalidArgumentError('A PID is a positive integer; run `ps -e` to list processes.');
  }
  return [...before, pid];
}

function parsePattern(text: string, before: readonly RegExp[] = []): RegExp[] {
  if (text === '')
    throw new InvalidArgumentError('It is empty, so every process has it; give a part of a name.');
  return [...before, parseRegExp(text)];
}

export function parseRegExp(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new InvalidArgumentError(
      `${(error as Error).message}; put a \\ before a character that is meant as itself.`,
    );
  }
}

function parseText(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

export function parseCount(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number from 1 on, as in 20.');
}
