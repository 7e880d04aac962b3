import test from 'ava';
import { renderCosts } from '../../../src/cli/bench/cost-report.js';
import { type BenchResult, onePercentOf, type WatchingCost } from '../../../src/cli/bench/result.js';
import { renderBar, renderTable } from '../../../src/report/terminal-text.js';

const figure = (median: number, p25 = median, p75 = median) => ({ median, p25, p75, runs: 5 });

const watching = (sampleUs: number, cpuPercent: number): WatchingCost => ({
  sampleUs,
  targets: 1,
  regions: 100,
  cpuPercent: figure(cpuPercent, cpuPercent - 1, cpuPercent + 1),
  cpuUsPerTick: figure(1_500, 1_400, 1_600),
  cpuUsPerSample: figure(15),
  ticks: 90,
  overruns: 10,
});

const RESULT: BenchResult = {
  tool: 'pagepulse 0',
  startedAt: '2026-01-31T12:00:00.000Z',
  machine: {
    kernel: '6.12.1',
    node: 'v20.19.0',
    cpu: 'Some CPU',
    cpus: 2,
    pageSizeBytes: 4096,
    transparentHugePages: 'madvise',
    nativeWords: true,
  },
  check: 'idle-page',
  target: { pid: 42, comm: 'evil\x1b[31m' },
  timeLimitUs: 30e6,
  elapsedUs: 29e6,
  sampling: [
    {
      check: 'idle-page',
      per: 'sample',
      isWhole: true,
      memories: [
        {
          memory: 'small pages',
          residentBytes: null,
          cpuUs: { resolve: figure(1, 0.9, 1.1), mark: figure(2), read: figure(3) },
          totalCpuUs: 6,
        },
      ],
    },
  ],
  intervals: [watching(1_000, 40), watching(5_000, 10)],
  regions: [watching(5_000, 8)],
  targets: [],
  slowdown: [
    { sampleUs: 5_000, regions: 100, slowdownPercent: figure(1.5, 1, 2), onCpuSlowdownPercent: figure(0.5) },
  ],
  onePercent: {
    cpuUsPerTick: 30,
    cpuUsPerRegion: 0.001,
    regionsLimit: 10_000,
    atInterval: [
      { sampleUs: 1_000, regions: null, samplesPerSecond: null },
      { sampleUs: 5_000, regions: 10_000, samplesPerSecond: 2e6 },
    ],
    withRegions: [{ regions: 1_000, sampleUs: 3_100 }],
  },
  notes: ['huge pages could not be measured: there are none'],
  targetEnded: false,
};

test('everything that was measured is shown, with its unit and its spread', (t) => {
  const text = renderCosts(RESULT);
  t.regex(text, /^memory +resolve +mark +read +together$/m);
  t.regex(text, /^small pages +1\.00 us \(0\.90 \.\. 1\.10\) .* 6\.00 us$/m);
  t.regex(text, /^1 ms +40\.0 % \(39\.0 \.\. 41\.0\) +1\.50 ms \(1\.40 \.\. 1\.60\) .* 10 of 100$/m);
  t.regex(text, /^every 5 ms, 100 regions +1\.50 % \(1\.00 \.\. 2\.00\) +0\.50 % \(0\.50 \.\. 0\.50\) +5$/m);
  t.regex(text, /^1 ms +none +none$/m);
  t.regex(text, /^5 ms +over 10,000 +over 2,000,000$/m);
  t.regex(text, /3\.1 ms with 1,000 regions/);
  t.regex(text, /^Note: huge pages could not be measured: there are none\.$/m);
});

test('a region source has aggregation intervals, and no samples', (t) => {
  const onePercent = onePercentOf([{ ...watching(100_000, 10), regions: 23 }], [], [0]);
  const text = renderCosts({ ...RESULT, check: 'referenced', sampling: [], regions: [], onePercent });
  t.regex(text, /^aggregation interval +of a core +CPU an interval$/m);
  t.regex(text, /^Share of a core, by aggregation interval$/m);
  t.regex(text, /^An aggregation interval of 150 ms or longer: each costs 1\.50 ms of CPU/m);
  t.notRegex(text, /NaN|sample/);
});

test('what was not measured has no table', (t) => {
  const text = renderCosts({ ...RESULT, slowdown: [], onePercent: null, intervals: [], sampling: [] });
  t.notRegex(text, /against targets|against sampling|loses|buys|Share of a core/);
  t.regex(text, /against regions/);
});

test('if the machine supports only the first step of a check, the table says so', (t) => {
  const [costs] = RESULT.sampling;
  const memories = [{ ...costs!.memories[0]!, cpuUs: { resolve: figure(1) } }];
  const text = renderCosts({ ...RESULT, sampling: [{ ...costs!, isWhole: false, memories }] });
  t.regex(text, /^CPU of a sample, first step of the idle-page check \(this machine does not support/m);
  t.regex(text, /^small pages +1\.00 us/m);
});

test('bars are as long as the shares of a core', (t) => {
  const bars = renderCosts(RESULT).match(/▏█+/g)!;
  t.deepEqual(
    bars.map((bar) => bar.length - 1),
    [40, 10],
  );
});

test('the name of a process cannot control the terminal', (t) => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
  t.notRegex(renderCosts(RESULT), /[\x00-\x09\x0b-\x1f]/);
});

test('a single value has no spread', (t) => {
  const alone = { ...figure(5), runs: 1 };
  const text = renderCosts({ ...RESULT, regions: [{ ...watching(5_000, 8), cpuPercent: alone }] });
  t.regex(text, /^100 +5\.00 % +1\.50 ms/m);
});

test('a table has columns as wide as their widest cell', (t) => {
  const rows = [
    ['a', 'number'],
    ['name', '7'],
  ];
  t.is(renderTable(rows), 'a     number\nname       7');
});

test('a bar is accurate to an eighth of a cell', (t) => {
  t.is(renderBar(0), '');
  t.is(renderBar(2), '██');
  t.is(renderBar(2.5), '██▌');
  t.is(renderBar(0.125), '▏');
  t.is(renderBar(0.99), '█');
});
