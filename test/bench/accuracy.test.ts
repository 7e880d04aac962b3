import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const MAIN = fileURLToPath(new URL('../../bench/accuracy/main.js', import.meta.url));

test('bench:accuracy prints one object a run', (t) => {
  const part = [
    '--pattern',
    'sparse',
    '--size',
    '1g',
    '--seed',
    '1',
    '2',
    '--samples',
    '1000',
    '--aggregations',
    '40',
  ];
  const output = execFileSync(process.execPath, [MAIN, ...part, '--json'], { encoding: 'utf8' });
  const results = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.deepEqual(
    results.map(({ adaptation, seed }) => [adaptation, seed]),
    [
      ['damon', 1],
      ['damon', 2],
      ['evidence', 1],
      ['evidence', 2],
    ],
  );
  const [, , evidence] = results;
  t.like(evidence, {
    pattern: 'sparse',
    totalBytes: 2 ** 30,
    hotBytes: 3 * 8 * 2 ** 20,
    samplesPerAggregation: 1_000,
  });
  t.true(evidence.precision > 0.99 && evidence.recall > 0.99 && evidence.wssError < 0.01);
  t.true(evidence.firstAbove90 <= 6 && evidence.samples <= 1_000 && evidence.coverage > 0.9);
});

test('bench:accuracy tells how long it took after each move', (t) => {
  const part = ['--pattern', 'moving', '--size', '1g', '--seed', '1', '--adaptation', 'evidence'];
  const lagsIn = (aggregations: number): number[] => {
    const words = [MAIN, ...part, '--aggregations', String(aggregations), '--json'];
    return JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8' })).lags;
  };
  t.deepEqual(lagsIn(90), []);
  const [first, second, ...more] = lagsIn(210);
  t.true(first! > 0 && first! < 100 && second! > 0 && second! < 10);
  t.deepEqual(more, []);
  // It has moved, and nothing has been seen of that yet.
  t.deepEqual(lagsIn(101), [null]);
});

for (const [what, words] of Object.entries({
  'an unknown pattern': ['--pattern', 'none'],
  'a size without meaning': ['--size', '3x'],
  'no samples': ['--samples', '0'],
  'a word too many': ['more'],
})) {
  test(`bench:accuracy refuses ${what} in one line`, (t) => {
    const { status, stderr, stdout } = spawnSync(process.execPath, [MAIN, ...words], { encoding: 'utf8' });
    t.is(status, 2);
    t.regex(stderr, /^bench:accuracy: [^\n]+\n$/);
    t.is(stdout, '');
  });
}
