import { printable } from '../../core/printable.js';
import { characters, renderBar, renderTable } from '../../report/terminal-text.js';
import { formatBytes, formatDuration } from '../../report/units.js';
import { CHECKS } from '../../sources/registry.js';
import type { Figure } from './figure.js';
import type { BenchResult, CheckCost, OnePercent, PartName, Slowdown, WatchingCost } from './result.js';

/** Of the chart. */
const BAR_CELLS = 40;

/** What `pagepulse bench` prints: a heading, a table each, the chart, and what could not be measured. */
export function renderCosts(result: BenchResult): string {
  const { check, sampling, intervals, regions, targets, slowdown, onePercent, notes } = result;
  const isCounted = CHECKS[check].delivers === 'regions';
  const interval = isCounted ? 'aggregation interval' : 'sampling interval';
  const parts = [heading(result)];
  for (const costs of sampling) if (costs.memories.length > 0) parts.push(checkTable(costs));
  const varied = [
    [interval, intervals],
    ['regions', regions],
    ['targets', targets],
  ] as const;
  for (const [what, costs] of varied) {
    if (costs.length === 0) continue;
    parts.push(watchingTable(what, costs, isCounted));
    if (what === interval) parts.push(chart(costs, interval));
  }
  if (slowdown.length > 0) parts.push(slowdownTable(slowdown, isCounted));
  if (onePercent) parts.push(isCounted ? onePercentOfLooks(onePercent) : onePercentTable(onePercent));
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
    `${startedAt}, measured for ${formatDuration(elapsedUs)}; medians, and in brackets what half of the values lie between`,
  ].join('\n');
}

function checkTable({ check, per, isWhole, memories }: CheckCost): string {
  const names = Object.keys(memories[0]!.cpuUs) as PartName[];
  const title = isWhole
    ? `CPU of a ${per}, ${check} check`
    : `CPU of a ${per}, what the ${check} check would begin with (this kernel has no idle bitmap)`;
  const showsMemory = per === 'tick';
  const rows = memories.map(({ memory, cpuUs, totalCpuUs, residentBytes }) => [
    memory,
    ...names.map((name) => figure(cpuUs[name]!, us)),
    ...(names.length > 1 ? [us(totalCpuUs)] : []),
    ...(showsMemory ? [formatBytes(residentBytes!), us(totalCpuUs / (residentBytes! / 2 ** 20))] : []),
  ]);
  const total = names.length > 1 ? ['together'] : [];
  return `${title}\n${renderTable([
    ['memory', ...names, ...total, ...(showsMemory ? ['resident', 'a MiB'] : [])],
    ...rows,
  ])}`;
}

function watchingTable(what: string, costs: readonly WatchingCost[], isCounted: boolean): string {
  const [{ sampleUs, targets, regions }] = costs as [WatchingCost];
  const every = `every ${formatDuration(sampleUs)}`;
  const inAll = isCounted ? [] : [`about ${regions} regions`];
  const fixed = {
    regions: [count(targets, 'target'), every],
    targets: [...inAll.map((text) => `${text} in all`), every],
  }[what] ?? [count(targets, 'target'), ...inAll];
  const rows = costs.map((cost) => [
    what.endsWith('interval')
      ? formatDuration(cost.sampleUs)
      : String(what === 'regions' ? cost.regions : cost.targets),
    figure(cost.cpuPercent, percent),
    figure(cost.cpuUsPerTick, us),
    ...(isCounted
      ? []
      : [figure(cost.cpuUsPerSample, us), `${cost.overruns} of ${cost.ticks + cost.overruns}`]),
  ]);
  const titles = isCounted ? ['CPU an interval'] : ['CPU a tick', 'CPU a sample', 'ticks missed'];
  return `Cost against ${what} (${fixed.join(', ')})\n${renderTable([[what, 'of a core', ...titles], ...rows])}`;
}

/** A bar for each interval, as long as the share of a core that it costs. */
function chart(costs: readonly WatchingCost[], interval: string): string {
  const largest = Math.max(...costs.map(({ cpuPercent }) => cpuPercent.median));
  const names = costs.map(({ sampleUs }) => formatDuration(sampleUs));
  const width = Math.max(...names.map((name) => name.length));
  const lines = costs.map(({ cpuPercent: { median } }, i) => {
    const bar = renderBar(largest > 0 ? (BAR_CELLS * Math.max(0, median)) / largest : 0);
    return `${names[i]!.padStart(width)} ${characters().axis}${bar} ${percent(median)}`;
  });
  return `Share of a core, by ${interval}\n${lines.join('\n')}`;
}

function slowdownTable(slowdowns: readonly Slowdown[], isCounted: boolean): string {
  const rows = slowdowns.map(({ sampleUs, regions, slowdownPercent, onCpuSlowdownPercent }) => [
    isCounted ? `every ${formatDuration(sampleUs)}` : `every ${formatDuration(sampleUs)}, ${regions} regions`,
    figure(slowdownPercent, percent),
    figure(onCpuSlowdownPercent, percent),
    String(slowdownPercent.runs),
  ]);
  const title = 'What the process loses: rounds through its memory that it makes less while it is watched';
  return `${title}\n${renderTable([['watched', 'slower by', 'by CPU it got', 'pairs'], ...rows])}`;
}

function onePercentTable(onePercent: OnePercent): string {
  const { cpuUsPerTick, cpuUsPerRegion, regionsLimit, atInterval, withRegions } = onePercent;
  const rows = atInterval.map(({ sampleUs, regions, samplesPerSecond }) => {
    if (regions === null) return [formatDuration(sampleUs), 'none', 'none'];
    const orMore = regions === regionsLimit ? 'over ' : '';
    return [formatDuration(sampleUs), orMore + whole(regions), orMore + whole(samplesPerSecond!)];
  });
  const shortest = withRegions.map(
    ({ regions, sampleUs }) => `${formatDuration(sampleUs)} with ${whole(regions)}`,
  );
  return [
    'What 1 % of a core buys (10 ms of CPU a second)',
    renderTable([['sampling interval', 'regions, at most', 'samples a second'], ...rows]),
    `Shortest sampling interval: ${shortest.join(', ')} regions.`,
    `(A tick costs ${us(cpuUsPerTick)} of CPU whatever the regions, and ${cpuUsPerRegion < 0.01 ? 'less than 0.01 us' : us(cpuUsPerRegion)} more for each.)`,
  ].join('\n');
}

/** Of a source whose cost does not follow regions. */
function onePercentOfLooks({ cpuUsPerTick, withRegions }: OnePercent): string {
  return (
    'What 1 % of a core buys (10 ms of CPU a second)\n' +
    `An aggregation interval of ${formatDuration(withRegions[0]!.sampleUs)} or longer: each costs ${us(cpuUsPerTick)} of ` +
    'CPU, for it walks the whole process twice.'
  );
}

/** A value in the unit that suits `like`, which is itself unless several are to be in one unit. */
type Format = (value: number, like?: number) => string;

const us: Format = (value, like = value) =>
  like < 999.5 ? `${decimals(value)} us` : `${decimals(value / 1_000)} ms`;

const percent: Format = (value) => `${decimals(value)} %`;

/** `3.10 us (2.90 .. 3.40)`; without a spread where there is but one value. */
function figure({ median, p25, p75, runs }: Figure, format: Format): string {
  if (runs === 1) return format(median);
  const bare = (value: number) => format(value, median).replace(/ \S+$/, '');
  return `${format(median)} (${bare(p25)} .. ${bare(p75)})`;
}

/** With three digits, at most two of them decimals. */
function decimals(value: number): string {
  const size = Math.abs(value);
  return size >= 99.95 ? whole(value) : value.toFixed(size >= 9.995 ? 1 : 2);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function count(value: number, what: string): string {
  return `${value} ${what}${value === 1 ? '' : 's'}`;
}
