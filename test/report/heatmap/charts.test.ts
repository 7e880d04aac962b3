import test from 'ava';
import { Snapshot } from '../../../src/core/snapshot.js';
import { chartDataOf } from '../../../src/report/heatmap/chart-data.js';
import { renderHtml } from '../../../src/report/heatmap/html.js';
import { renderPng, renderSvg } from '../../../src/report/heatmap/image.js';
import { mapOf, mappingOf, snapshotsOf, sourceOf, TIB_PAGES } from './examples.js';

const EVIL = '</script><img src=x onerror="alert(1)">&\'';
const base = 32 * TIB_PAGES;
const snapshots = snapshotsOf(
  [20, 10, 0].map((nr) => [
    [0x1000, 0x1100, nr, 0],
    [0x1100, 0x1200, 0, 7],
    [base, base + 0x100, 5, 2],
  ]),
  4242,
  EVIL,
);
const SIZE = { width: 1_000, height: 500 };
const detail = { columns: 500, rows: 192, isStill: true };

async function dataOf(theme: 'dark' | 'light' = 'dark', isStill = true) {
  const mappings = [mappingOf(0x1000, 0x1200, EVIL), mappingOf(base, base + 0x100, '[stack]')];
  return chartDataOf(await mapOf(sourceOf(snapshots, mappings)), theme, { ...detail, isStill });
}

test('an SVG has its axes, its legend, the gap that was cut out, and no text that becomes an element', async (t) => {
  const svg = await renderSvg(await dataOf(), SIZE);
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
  const expected = [
    'address',
    'time since the start',
    '32 TiB cut out',
    '[stack]',
    'never accessed',
    'not watched',
  ];
  for (const text of [...expected, '1000000', '1200000', '0', '100 ms', '300 ms', '100 % of samples']) {
    t.true(texts.includes(text), `${text} in ${texts.join(' | ')}`);
  }
  t.false(/<(script|img)/.test(svg));
});

/** What every object has by its prototype, and what that has. */
function inherited(): string[] {
  const values = Reflect.ownKeys(Object.prototype).map((key) => Reflect.get(Object.prototype, key));
  return [Object.prototype, ...values].flatMap((value) =>
    value === null ? [] : Reflect.ownKeys(value).map(String),
  );
}

test('names that every object knows are text, and leave objects and the document as they should be', async (t) => {
  const before = inherited();
  const names = Object.getOwnPropertyNames(Object.prototype);
  const mappings = names.map((name, i) =>
    mappingOf(0x1000 + 0x100 * i, 0x1100 + 0x100 * i, `/a/long/folder/of/it/${name}`),
  );
  const rows = mappings.map(({ startPage, endPage }, i) => [startPage, endPage, i + 1, 0] as const);
  for (const comm of ['__proto__', 'constructor']) {
    const map = await mapOf(sourceOf(snapshotsOf([rows, rows], 0, comm), mappings));
    const size = { width: 1_000, height: 1_000 };
    const svg = await renderSvg(chartDataOf(map, 'dark', detail), size);
    for (const name of names) t.regex(svg, new RegExp(`> ?${name}</text>`));
    await t.notThrowsAsync(renderPng(svg, size), 'it is well-formed');
  }
  t.deepEqual(inherited(), before);
});

test('cells of a picture have the colours of their shares, the same hue either way round', async (t) => {
  const colours = async (theme: 'dark' | 'light') => {
    const svg = await renderSvg(await dataOf(theme), SIZE);
    return ['rgb(246,215,70)', 'rgb(106,23,110)', 'rgb(221,81,58)', 'rgb(28,33,41)', 'rgb(240,242,245)'].map(
      (fill) => svg.includes(`fill="${fill}"`) || svg.includes(`fill="${hexOf(fill)}"`),
    );
  };
  t.deepEqual(await colours('dark'), [true, false, true, true, false]);
  t.deepEqual(await colours('light'), [false, true, true, false, true]);
});

function hexOf(rgb: string): string {
  return `#${[...rgb.matchAll(/\d+/g)].map(([n]) => Number(n).toString(16).padStart(2, '0')).join('')}`;
}

test('a PNG has twice the pixels, and its text with whatever fonts the machine has', async (t) => {
  const svg = await renderSvg(await dataOf(), SIZE);
  const png = Buffer.from(await renderPng(svg, SIZE));
  t.is(png.toString('latin1', 1, 4), 'PNG');
  t.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [2 * SIZE.width, 2 * SIZE.height]);
  const without = await renderPng(svg.replaceAll(/<text[^>]*>[^<]*<\/text>/g, ''), SIZE);
  t.true(png.length > without.length + 5_000, 'letters take some kilobytes');
});

test('a page asks for nothing, and text of other people stays text', async (t) => {
  const html = await renderHtml(await dataOf('dark', false));
  t.false(
    /<img|<link|<script[^>]* src|@import|url\(/.test(html.replaceAll(/<script>[\s\S]*?<\/script>/g, '')),
  );
  t.is(html.match(/<\/script/g)!.length, 3, 'data, library, chart');
  t.true(html.includes('\\u003c/script>\\u003cimg'));
});

test('what was accessed in one of 100,000 samples is not shown as never accessed', async (t) => {
  const rare = snapshotsOf(Array.from({ length: 2 }, () => [[0x1000, 0x1100, 1, 0]]));
  const often = rare.map((one) => new Snapshot({ ...one, maxNrAccesses: 100_000 }, one.columns));
  for (const isStill of [true, false]) {
    const data = chartDataOf(await mapOf(sourceOf(often)), 'dark', { ...detail, isStill });
    for (const cell of data.panels[0]!.ranges[0]!.cells) t.true(cell[4] > 0);
  }
});

test('cells that only a pointer could tell apart are one in a still picture', async (t) => {
  const cells = async (isStill: boolean) =>
    (await dataOf('dark', isStill)).panels[0]!.ranges.map((range) => range.cells.length);
  t.deepEqual(
    await cells(true),
    [3 + 1, 1].map((n, i) => (i === 0 ? 4 : n)),
  );
  t.deepEqual(await cells(false), [6, 3]);
});
