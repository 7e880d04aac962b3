import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Attrs, MonitorOptions } from '../src/index.js';

const CROWD = fileURLToPath(new URL('./crowd.js', import.meta.url));

/** How many are watched, and for how long. */
export interface Crowd {
  readonly check: 'synthetic' | 'referenced' | 'idle-page';
  readonly targets: number;
  /** Of these, so many are busy; the others sleep. */
  readonly busy: number;
  readonly workers?: MonitorOptions['workers'];
  /** Intervals that are kept; by default those that are found under the default budget. */
  readonly attrs?: Partial<Attrs>;
  readonly settleSeconds: number;
  readonly seconds: number;
}

/** What a process costs that watches a crowd (crowd.ts). */
export interface CrowdCost {
  /** CPU of all its threads as a share of one core, in percent, after it has settled. */
  readonly cpuPercent: number;
  readonly residentMib: number;
  readonly attachMs: number;
  /** Until there was a snapshot of each; null if that never was. */
  readonly answeredMs: number | null;
  readonly ticks: number;
  readonly overruns: number;
  /** How long after it was due a tick was done, in the mean and at most, since the start. */
  readonly meanLateMs: number;
  readonly maxLateMs: number;
  readonly sampleMs: number;
  readonly regions: number;
  /** Of the busy ones: by how much their working sets are off, as a share; none where it is not known. */
  readonly workingSetErrors: readonly number[];
}

/** The columns of what watching a crowd comes to, wherever it is. */
export const CROWD_HEAD = [
  'ticks',
  'missed',
  'late: mean, most',
  'sampling interval',
  'regions',
  'worst working-set error',
] as const;

export const SCALE_HEAD = [
  '',
  'processes',
  'CPU',
  'resident',
  'attached in',
  'answered in',
  ...CROWD_HEAD,
] as const;

const TIMES = { settleSeconds: 60, seconds: 30 };
const BUSY = 5;

/** One, ten, a hundred and five hundred processes by default, five of them busy. */
export function scaleRows(): string[][] {
  const checks = ['synthetic', 'referenced'] as const;
  return checks.flatMap((check) =>
    [1, 10, 100, 500].map((targets) =>
      row(check, { check, targets, busy: Math.min(BUSY, targets), ...TIMES }),
    ),
  );
}

/** 64 targets at 20 ms with a sampler each, beside the samplers there are by default. */
export function workersRows(): string[][] {
  const attrs = { sampleUs: 20_000, aggrUs: 400_000 };
  const crowd = {
    check: 'synthetic',
    targets: 64,
    busy: BUSY,
    attrs,
    settleSeconds: 20,
    seconds: 20,
  } as const;
  return [
    row('samplers by default', crowd),
    row('one a target', { ...crowd, workers: 'per-target' }),
    row('one for all', { ...crowd, workers: 1 }),
  ];
}

function row(name: string, crowd: Crowd): string[] {
  const output = execFileSync(process.execPath, [CROWD, JSON.stringify(crowd)], { encoding: 'utf8' });
  const cost = JSON.parse(output) as CrowdCost;
  const line = [
    name,
    String(crowd.targets),
    `${cost.cpuPercent.toFixed(2)} %`,
    `${cost.residentMib.toFixed(0)} MiB`,
    `${cost.attachMs.toFixed(0)} ms`,
    cost.answeredMs === null ? '' : `${(cost.answeredMs / 1_000).toFixed(1)} s`,
    ...crowdCells(cost),
  ];
  process.stderr.write(`${line.join(', ')}\n`);
  return line;
}

/** In the order of CROWD_HEAD. */
export function crowdCells(
  cost: Omit<CrowdCost, 'cpuPercent' | 'residentMib' | 'attachMs' | 'answeredMs'>,
): string[] {
  // Of none, or where one has not been seen yet, nothing is known.
  const worst = Math.max(...cost.workingSetErrors);
  return [
    String(cost.ticks),
    String(cost.overruns),
    `${cost.meanLateMs.toFixed(1)}, ${cost.maxLateMs.toFixed(0)} ms`,
    `${cost.sampleMs.toFixed(0)} ms`,
    String(cost.regions),
    Number.isFinite(worst) ? `${(100 * worst).toFixed(1)} %` : '',
  ];
}
