import { measure, type ProcessCost, type Watching } from './process.js';

/** The columns that the host and the lab have in common. */
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

const BUSY = 5;

/** One, ten, a hundred and five hundred processes by default, five of them busy. */
export function scaleRows(): string[][] {
  const times = { reads: true, warmUpSeconds: 60, seconds: 30 };
  return (['synthetic', 'referenced'] as const).flatMap((check) =>
    [1, 10, 100, 500].map((targets) =>
      row(check, { check, targets, busy: Math.min(BUSY, targets), ...times }),
    ),
  );
}

/** 64 targets at 20 ms: with the default samplers, one sampler per target, and one for all. */
export function workersRows(): string[][] {
  const attrs = { sampleUs: 20_000, aggrUs: 400_000 };
  const times = { reads: true, warmUpSeconds: 20, seconds: 20 };
  const watching = { check: 'synthetic', targets: 64, busy: BUSY, attrs, ...times } as const;
  return [
    row('samplers by default', watching),
    row('one a target', { ...watching, workers: 'per-target' }),
    row('one for all', { ...watching, workers: 1 }),
  ];
}

function row(name: string, watching: Watching): string[] {
  const cost = measure(watching);
  const line = [
    name,
    String(watching.targets),
    `${cost.cpuPercent.toFixed(2)} %`,
    `${cost.residentMib.toFixed(0)} MiB`,
    `${cost.attachMs.toFixed(0)} ms`,
    cost.answeredMs === null ? '' : `${(cost.answeredMs / 1_000).toFixed(1)} s`,
    ...crowdCells(cost),
  ];
  process.stderr.write(`${line.join(', ')}\n`);
  return line;
}

type CrowdCost = Pick<
  ProcessCost,
  'ticks' | 'overruns' | 'meanLateMs' | 'maxLateMs' | 'sampleMs' | 'regions' | 'workingSetErrors'
>;

/** In the order of CROWD_HEAD. */
export function crowdCells(cost: CrowdCost): string[] {
  // Not finite if there are no errors, or a target has no snapshot yet.
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
