import { printable } from '../../core/printable.js';
import { characters, renderBar, renderTable } from '../../report/terminal-text.js';
import { formatBytes, formatDuration } from '../../report/units.js';
import { SOURCES } from '../../sources/registry.js';
import type {
  BenchResult,
  CheckCost,
  Figure,
  OnePercent,
  Slowdown,
  StepName,
  WatchingCost,
} from './result.js';

/** What `pagepulse bench` prints: a heading, the tables, a chart, and what could not be measured. */
export function renderCosts(result: BenchResult): string {
  const { check, sampling, intervals, regions, targets, slowdown, onePercent, notes } = result;
  const isDelivered = SOURCES[check].delivers === 'regions';
  const interval = isDelivered ? 'aggregation interval' : 'sampling interval';
  const parts = [heading(result)];
  for (const costs of sampling) if (costs.memories.length > 0) parts.push(checkTable(costs));
  if (intervals.length > 0) {
    parts.push(watchingTable(interval, intervals, isDelivered), chart(intervals, interval));
  }
  if (regions.length > 0) parts.push(watchingTable('regions', regions, isDelivered));
  if (targets.length > 0) parts.push(watchingTable('targets', targets, isDelivered));
  if (slowdown.length > 0) parts.push(slowdownTable(slowdown, isDelivered));
  if (onePercent) parts.push(onePercentText(onePercent, isDelivered));
  if (notes.length > 0) parts.push(notes.map((text) => `Note: ${text}.`).join('\n'));
  return `${parts.join('\n\n')}\n`;
}

function heading({ machine, target, check, startedAt, elapsedUs }: BenchResult): string {
  const { kernel, node, cpu, cpus, transparentHugePages, nativeWords } = machine;
  const what = target ? `process ${target.pid} (${printable(target.comm)})` : 'a workload of its own';
  return [
    `What watching costs: the ${check} check on ${what}`,
    `Linux ${kernel}, Node ${node}, ${cpus} x ${cpu}, huge pages ${transparentHugePages}, ` +
      `native/words.c ${nativeWords ? 'in use' : 'not in use'}`,
    `${startedAt}, measured for ${formatDuration(elapsedUs)}; medians, with quartiles in parentheses`,
  ].join('\n');
}

function checkTable({ check, per, isWhole, memories }: CheckCost): string {
  const names = Object.keys(memories[0]!.cpuUs) as StepName[];
  const step = isWhole
    ? `${check} check`
    : `first step of the ${check} check (this machine does not support the others)`;
  const hasTotal = names.length > 1;
  const hasSize = per === 'tick';
  const head = ['memory', ...names];
  if (hasTotal) head.push('together');
  if (hasSize) head.push('resident', 'a MiB');
  const rows = memories.map(({ memory, cpuUs, totalCpuUs, residentBytes }) => {
    const row = [memory, ...names.map((name) => figure(cpuUs[name]!, us))];
    if (hasTotal) row.push(us(totalCpuUs));
    if (hasSize) row.push(formatBytes(residentBytes!), us(totalCpuUs / (residentBytes! / 2 ** 20)));
    return row;
  });
  return `CPU of a ${per}, ${step}\n${renderTable([head, ...rows])}`;
}

function watchingTable(what: string, costs: readonly WatchingCost[], isDelivered: boolean): string {
  const [{ sampleUs, targets, regions }] = costs as [WatchingCost];
  const fixed: string[] = [];
  if (what !== 'targets') fixed.push(`${targets} target${targets === 1 ? '' : 's'}`);
  if (what !== 'regions' && !isDelivered) {
    fixed.push(`about ${regions} regions${what === 'targets' ? ' in all' : ''}`);
  }
  if (!what.endsWith('interval')) fixed.push(`every ${formatDuration(sampleUs)}`);
  const head = [what, 'of a core', isDelivered ? 'CPU an interval' : 'CPU a tick'];
  if (!isDelivered) head.push('CPU a sample', 'ticks missed');
  const rows = costs.map((cost) => {
    const name = what === 'regions' ? cost.regions : cost.targets;
    const row = [what.endsWith('interval') ? formatDuration(cost.sampleUs) : String(name)];
    row.push(figure(cost.cpuPercent, percent), figure(cost.cpuUsPerTick, us));
    if (!isDelivered) {
      row.push(figure(cost.cpuUsPerSample, us), `${cost.overruns} of ${cost.ticks + cost.overruns}`);
    }
    return row;
  });
  return `Cost against ${what} (${fixed.join(', ')})\n${renderTable([head, ...rows])}`;
}

const CHART_CELLS = 40;

function chart(costs: readonly WatchingCost[], interval: string): string {
  const largest = Math.max(...costs.map(({ cpuPercent }) => cpuPercent.median));
  const names = costs.map(({ sampleUs }) => formatDuration(sampleUs));
  const width = Math.max(...names.map((name) => name.length));
  const lines = costs.map(({ cpuPercent: { median } }, i) => {
    const bar = renderBar(largest > 0 ? (CHART_CELLS * Math.max(0, median)) / largest : 0);
    return `${names[i]!.padStart(width)} ${characters().axis}${bar} ${percent(median)}`;
  });
  return `Share of a core, by ${interval}\n${lines.join('\n')}`;
}

function slowdownTable(slowdowns: readonly Slowdown[], isDelivered: boolean): string {
  const rows = slowdowns.map(({ sampleUs, regions, slowdownPercent, onCpuSlowdownPercent }) => [
    `every ${formatDuration(sampleUs)}${isDelivered ? '' : `, ${regions} regions`}`,
    figure(slowdownPercent, percent),
    figure(onCpuSlowdownPercent, percent),
    String(slowdownPercent.runs),
  ]);
  const title =
    'What the process loses: how many fewer rounds through its memory it makes while it is watched';
  return `${title}\n${renderTable([['watched', 'slower by', 'by CPU it got', 'pairs'], ...rows])}`;
}

function onePercentText(onePercent: OnePercent, isDelivered: boolean): string {
  const { cpuUsPerTick, cpuUsPerRegion, regionsLimit, atInterval, withRegions } = onePercent;
  const title = 'What 1 % of a core buys (10 ms of CPU a second)';
  if (isDelivered) {
    const shortest = formatDuration(withRegions[0]!.sampleUs);
    const each = `each costs ${us(cpuUsPerTick)} of CPU, because it walks the whole process twice.`;
    return `${title}\nAn aggregation interval of ${shortest} or longer: ${each}`;
  }
  const rows = atInterval.map(({ sampleUs, regions, samplesPerSecond }) => {
    if (regions === null) return [formatDuration(sampleUs), 'none', 'none'];
    const orMore = regions === regionsLimit ? 'over ' : '';
    return [formatDuration(sampleUs), orMore + whole(regions), orMore + whole(samplesPerSecond!)];
  });
  const shortest = withRegions.map(
    ({ regions, sampleUs }) => `${formatDuration(sampleUs)} with ${whole(regions)}`,
  );
  const perRegion = cpuUsPerRegion < 0.01 ? 'less than 0.01 us' : us(cpuUsPerRegion);
  return [
    title,
    renderTable([['sampling interval', 'regions, at most', 'samples a second'], ...rows]),
    `Shortest sampling interval: ${shortest.join(', ')} regions.`,
    `(A tick costs ${us(cpuUsPerTick)} of CPU with any number of regions, and ${perRegion} more for each.)`,
  ].join('\n');
}

/** A value in the unit that suits `like`: the value itself, unless several share a unit. */
type Format = (value: number, like?: number) => string;

const us: Format = (value, like = value) =>
  like < 999.5 ? `${decimals(value)} us` : `${decimals(value / 1_000)} ms`;

const percent: Format = (value) => `${decimals(value)} %`;

/** `3.10 us (2.90 .. 3.40)`; a single value has no spread. */
function figure({ median, p25, p75, runs }: Figure, format: Format): string {
  if (runs === 1) return format(median);
  const bare = (value: number) => format(value, median).replace(/ \S+$/, '');
  return `${format(median)} (${bare(p25)} .. ${bare(p75)})`;
}

/** Three significant digits, at most two of them decimals. */
function decimals(value: number): string {
  const size = Math.abs(value);
  return size >= 99.95 ? whole(value) : value.toFixed(size >= 9.995 ? 1 : 2);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}
