import { release } from 'node:os';
import type { Command } from 'commander';
import { HIDES_PROCESSES, hidesProcesses } from '../kernel/proc.js';
import { numaBalancing, type Support } from '../kernel/support.js';
import { BY_QUALITY, SOURCES } from '../sources/registry.js';
import { ExitStatus, write, writeJson } from './output.js';

const WHAT = {
  'idle-page': 'page by page, through the idle bitmap',
  referenced: "by mapping, through smaps and clear_refs; other users' processes as root only",
} as const;

export function define(command: Command): void {
  command.option('--json', 'print JSON').action(doctor);
}

/** Exit status 1 if nothing can be watched. */
function doctor({ json }: { json?: boolean }): void {
  const checks = BY_QUALITY.map((name) => ({ name, support: SOURCES[name].supported() }));
  const best = checks.find(({ support }) => support.ok)?.name;
  const warnings = [
    ...(hidesProcesses() ? [HIDES_PROCESSES] : []),
    ...(numaBalancing() ? [NUMA_WARNING] : []),
  ];
  const step = checks.flatMap(({ support }) => (support.ok ? [] : [support.help]))[0];
  if (json) {
    const found = checks.map(({ name, support }) => ({ name, ...support }));
    const machine = { platform: process.platform, kernel: release(), user: process.getuid?.() ?? null };
    const answer = { ...machine, checks: found, best: best ?? null, step: step ?? null, warnings };
    writeJson(answer, undefined, 2);
  } else {
    const lines = checks.map(({ name, support }) => line(name, support));
    for (const warning of warnings) lines.push(`warning     ${warning}`);
    lines.push(best ? `Pagepulse will use the ${best} check.` : 'Pagepulse cannot watch anything here.');
    if (step) lines.push(`The step that would help most: ${step}.`);
    write(`${lines.join('\n')}\n`);
  }
  if (!best) throw new ExitStatus(1);
}

const NUMA_WARNING =
  'numa_balancing is on: the kernel unmaps pages for a while to see who uses them, which blurs the figures; ' +
  'turn it off with `sysctl kernel.numa_balancing=0`';

function line(name: keyof typeof WHAT, support: Support): string {
  const state = support.ok ? 'yes  ' : 'no   ';
  return `${name.padEnd(11)} ${state}${support.ok ? WHAT[name] : support.reason}`;
}
