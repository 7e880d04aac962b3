import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { limitMemory, MAX_MS } from '../test/helpers/limited.js';
import { type Answer, type Batch, mutantOf } from './batch.js';
import { TARGETS, type Target } from './targets.js';

// `npm run fuzz`: mutates files that Pagepulse reads, and checks that each ends in a result or a one-line error, within limits of
// memory and time that are measured from outside. The same seed makes the same mutants.

const USAGE = 'usage: npm run fuzz -- [--seed N] [--seconds N | --count N] [--only NAME] [--from N]';
const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));
const MAX_BATCH = 4_000;
const POLL_MS = 100;

interface Sums {
  mutants: number;
  accepted: number;
  refused: number;
  slowestMs: number;
  peakBytes: number;
  faults: number;
}

const { seed, seconds, count, from, targets } = options();
console.log(`seed ${seed}; ${count ? `${count} mutants` : `${seconds} s`}`);
const folder = mkdtempSync(join(tmpdir(), 'pagepulse-fuzz-'));
const kept = `${folder}-faults`;
const progressPath = join(folder, 'progress');
const kinds = new Set<string>();
const seeds = new Map<Target, Buffer[]>();
for (const target of targets) seeds.set(target, await target.seeds());
const sums = new Map(targets.map((target) => [target, emptySums()]));
const weights = targets.reduce((sum, { weight }) => sum + weight, 0);
const until = count ? Number.POSITIVE_INFINITY : performance.now() + seconds * 1_000;

while (performance.now() < until) {
  let isDone = true;
  for (const target of targets) {
    const share = count ? Math.ceil((count * target.weight) / weights) : Number.POSITIVE_INFINITY;
    const { mutants } = sums.get(target)!;
    const batch = Math.min(count ? MAX_BATCH : 100 * target.weight, share - mutants);
    if (batch <= 0 || performance.now() >= until) continue;
    isDone = false;
    await runBatch(target, { target: target.name, seed, from: from + mutants, count: batch, progressPath });
  }
  if (isDone) break;
}
rmSync(folder, { recursive: true });
console.log(table());
process.exitCode = [...sums.values()].some(({ faults }) => faults > 0) ? 1 : 0;

/** Runs mutants in a child process, and continues after one that ends it. */
async function runBatch(target: Target, batch: Batch): Promise<void> {
  const { from, count } = batch;
  const sum = sums.get(target)!;
  const child = fork(CHILD, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let errors = '';
  child.stderr!.on('data', (text) => {
    errors = (errors + text).slice(-2_000);
  });
  const limited = limitMemory(child);
  let [index, since] = [-1, performance.now()];
  const timer = setInterval(() => {
    const now = progress();
    if (now !== index) [index, since] = [now, performance.now()];
    if (performance.now() - since <= MAX_MS) return;
    limited.killed ??= `more than ${MAX_MS} ms`;
    child.kill('SIGKILL');
  }, POLL_MS);
  let isDone = false;
  child.on('message', (answer: Answer) => {
    if ('fault' in answer) {
      keep(target, answer.index, answer.fault);
      return;
    }
    isDone = true;
    add(sum, { ...answer.done, mutants: count });
  });
  writeFileSync(progressPath, Buffer.alloc(0));
  child.send(batch);
  const [status, signal] = await once(child, 'exit');
  clearInterval(timer);
  sum.peakBytes = Math.max(sum.peakBytes, limited.peakBytes);
  if (isDone) return;
  const last = progress();
  if (last < 0) throw new Error(`no mutant of ${target.name} was read: ${errors}`);
  keep(target, last, limited.killed ?? `ended by ${signal ?? status}: ${errors}`);
  add(sum, { mutants: last + 1 - from, accepted: 0, refused: 0, slowestMs: 0 });
  const left = from + count - last - 1;
  if (left > 0) await runBatch(target, { ...batch, from: last + 1, count: left });
}

function progress(): number {
  const bytes = readFileSync(progressPath);
  return bytes.length === 8 ? bytes.readDoubleLE() : -1;
}

function add(sum: Sums, more: Omit<Sums, 'peakBytes' | 'faults'>): void {
  sum.mutants += more.mutants;
  sum.accepted += more.accepted;
  sum.refused += more.refused;
  sum.slowestMs = Math.max(sum.slowestMs, more.slowestMs);
}

/** Keeps the first mutant of each kind of fault, and prints how to reproduce it. */
function keep(target: Target, index: number, fault: string): void {
  sums.get(target)!.faults++;
  const kind = `${target.name}: ${fault.split(/\n| \d/, 1)[0]}`;
  if (kinds.has(kind)) return;
  kinds.add(kind);
  mkdirSync(kept, { recursive: true });
  const path = join(kept, `${target.name.replaceAll(' ', '-')}-${index}`);
  writeFileSync(path, mutantOf(target, seeds.get(target)!, seed, index));
  console.log(`FAULT in ${target.name}, kept in ${path}: ${fault.slice(0, 600)}`);
  console.log(`  again: npm run fuzz -- --seed ${seed} --only '${target.name}' --from ${index} --count 1`);
}

function emptySums(): Sums {
  return { mutants: 0, accepted: 0, refused: 0, slowestMs: 0, peakBytes: 0, faults: 0 };
}

function table(): string {
  const rows = [['reader', 'mutants', 'refused', 'accepted', 'slowest', 'peak RSS', 'faults']];
  for (const [{ name }, { mutants, refused, accepted, slowestMs, peakBytes, faults }] of sums) {
    const [ms, mib] = [`${Math.ceil(slowestMs)} ms`, `${Math.ceil(peakBytes / 2 ** 20)} MiB`];
    rows.push([name, `${mutants}`, `${refused}`, `${accepted}`, ms, mib, `${faults}`]);
  }
  const total = [...sums.values()].reduce((sum, { mutants }) => sum + mutants, 0);
  return `${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n${total} mutants`;
}

function options() {
  const number = (text: string | undefined, name: string) => {
    if (text === undefined || /^\d{1,9}$/.test(text)) return text === undefined ? undefined : Number(text);
    return quit(`--${name} must be a non-negative integer (got '${text}')`);
  };
  try {
    const names = ['seed', 'seconds', 'count', 'from', 'only'] as const;
    const { values } = parseArgs({
      options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) as Record<
        (typeof names)[number],
        { type: 'string' }
      >,
    });
    const targets = TARGETS.filter(({ name }) => values.only === undefined || name === values.only);
    if (targets.length === 0)
      quit(`unknown reader '${values.only}'; choose from ${TARGETS.map(({ name }) => name).join(', ')}`);
    return {
      seed: number(values.seed, 'seed') ?? Date.now() % 2 ** 31,
      seconds: number(values.seconds, 'seconds') ?? 60,
      count: number(values.count, 'count'),
      from: number(values.from, 'from') ?? 0,
      targets,
    };
  } catch (error) {
    return quit(`${(error as Error).message}\n${USAGE}`);
  }
}

function quit(message: string): never {
  console.error(`fuzz: ${message}`);
  process.exit(2);
}
