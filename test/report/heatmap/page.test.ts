import { accessSync, constants, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { chromium, type Page } from 'playwright-core';
import { chartDataOf } from '../../../src/report/heatmap/chart-data.js';
import { renderHtml } from '../../../src/report/heatmap/html.js';
import { folderFor } from '../../helpers/fixtures.js';
import { area, MIB, MOVING, PHASES, report, settled } from '../../helpers/moving.js';
import { mapOf, mappingOf, snapshotsOf, sourceOf, TIB_PAGES } from './examples.js';

const executablePath = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
const [inBrowser, why] = executablePath
  ? [test.serial, '']
  : [test.skip, ' (skipped: there is no Chromium here)'];

const EVIL = '</script><img src=x onerror="globalThis.isTaken=true">';
const base = 32 * TIB_PAGES;

inBrowser(
  `the page opens from disk without network, tells what is under the pointer, and zooms${why}`,
  async (t) => {
    const snapshots = snapshotsOf(
      Array.from({ length: 20 }, () => [
        [0x1000, 0x1100, 10, 4],
        [base, base + 0x100, 0, 2],
      ]),
      4242,
      EVIL,
    );
    const map = await mapOf(sourceOf(snapshots, [mappingOf(0x1000, 0x1100, EVIL)]));
    const path = join(folderFor(t), 'heat.html');
    writeFileSync(
      path,
      await renderHtml(chartDataOf(map, 'light', { columns: 512, rows: 320, isStill: false })),
    );

    await onPage(t, path, async (page) => {
      // The lower of two ranges of 1 MiB each.
      await page.mouse.move(500, 400);
      const tip = page.locator('#chart table');
      await tip.waitFor();
      const text = await tip.innerText();
      for (const part of ['1000000 - 1100000', '1 MiB', '50 % of samples', '400 ms', EVIL]) {
        t.true(text.includes(part), `${part} in ${text}`);
      }

      const texts = (await page.evaluate(`echarts.getInstanceByDom(document.getElementById('chart'))
        .getZr().storage.getDisplayList().map(({ style }) => style.text)`)) as string[];
      t.true(texts.includes('accessed in 0 %') && texts.includes('50 % of samples'));
      t.false(texts.includes('0 %') || texts.includes('50 %'), 'the ends of the scale are told once');

      const before = await page.screenshot();
      await page.mouse.move(500, 399);
      await page.mouse.wheel(0, -300);
      await page.mouse.wheel(0, -300);
      const seen = (await page.waitForFunction(`(() => {
      const chart = echarts.getInstanceByDom(document.getElementById('chart'));
      const { startValue, endValue } = chart.getOption().dataZoom[0];
      const ticks = chart.getOption().xAxis[0].axisLabel.customValues;
      return endValue - startValue < 1_900_000 && { startValue, endValue, ticks };
    })()`)) as { jsonValue(): Promise<unknown> };
      const { startValue, endValue, ticks } = (await seen.jsonValue()) as {
        startValue: number;
        endValue: number;
        ticks: number[];
      };
      t.true(startValue > 0 && endValue < 2_000_000);
      t.true(ticks.length >= 2 && ticks.every((us) => us >= startValue - 1 && us <= endValue + 1));
      t.false(before.equals(await page.screenshot()));
      t.is(await page.evaluate('globalThis.isTaken'), undefined);
    });
  },
);

inBrowser(`a page of names that every object knows leaves objects as they are${why}`, async (t) => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  const mappings = names.map((name, i) => mappingOf(0x1000 + 0x100 * i, 0x1100 + 0x100 * i, name));
  const rows = mappings.map(({ startPage, endPage }) => [startPage, endPage, 10, 0] as const);
  const map = await mapOf(sourceOf(snapshotsOf([rows, rows], 0, '__proto__'), mappings));
  const path = join(folderFor(t), 'heat.html');
  writeFileSync(
    path,
    await renderHtml(chartDataOf(map, 'dark', { columns: 512, rows: 320, isStill: false })),
  );
  await onPage(t, path, async (page) => {
    await page.mouse.move(500, 300);
    await page.mouse.wheel(0, -300);
    await page.locator('#chart table').waitFor();
    // A frame of its own has what a browser brings.
    const [inPage, fresh] = (await page.evaluate(`(() => {
      const frame = document.body.appendChild(document.createElement('iframe'));
      return [globalThis, frame.contentWindow].map(({ Object }) =>
        [Object.prototype, Object, Object.prototype.toString].flatMap((value) => Reflect.ownKeys(value)));
    })()`)) as [string[], string[]];
    t.deepEqual(inPage, fresh);
    const texts = (await page.evaluate(`echarts.getInstanceByDom(document.getElementById('chart'))
      .getZr().storage.getDisplayList().map(({ style }) => style.text)`)) as string[];
    for (const name of names) t.true(texts.includes(` ${name}`), `${name} in ${texts}`);
  });
});

inBrowser(`what is under the pointer is what was hot there and then${why}`, async (t) => {
  const path = join(folderFor(t), 'heat.html');
  const range = [area.start, area.end].map((address) => address.toString(16)).join('-');
  await report(t, 'heatmap', MOVING, '--range', range, '-o', path);
  await onPage(t, path, async (page) => {
    const tip = page.locator('#chart table');
    const at = async (us: number, address: number) => {
      const [x, y] = (await page.evaluate(
        `echarts.getInstanceByDom(document.getElementById('chart')).convertToPixel({ xAxisIndex: 0, yAxisIndex: 0 }, [${us}, ${address}])`,
      )) as [number, number];
      await page.mouse.move(0, 0);
      await tip.waitFor({ state: 'hidden' });
      await page.mouse.move(x, y);
      await tip.waitFor();
      return tip.innerText();
    };
    for (const phase of PHASES) {
      const { endUs } = settled(phase);
      const [hot] = phase.hot;
      const middle = (hot!.start + hot!.end) / 2;
      const text = await at(endUs, middle);
      t.regex(text, /(9\d|100) % of samples/);
      t.regex(text, /anonymous/);
      const [, from, to] = /([0-9a-f]{12}) - ([0-9a-f]{12})/.exec(text)!;
      t.true(Number.parseInt(from!, 16) <= middle && middle < Number.parseInt(to!, 16), text);
    }
    const { endUs } = settled(PHASES[0]!);
    t.regex(await at(endUs, PHASES[0]!.hot[0]!.end + 6 * MIB), /\bnever\b/);
  });
});

/** Opens the file in a browser, which must find nothing wrong with it, and ask for nothing more. */
async function onPage(t: ExecutionContext, path: string, use: (page: Page) => Promise<void>): Promise<void> {
  const browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1_000, height: 600 } });
    page.setDefaultTimeout(100_000);
    const problems: string[] = [];
    page.on('pageerror', ({ message }) => problems.push(message));
    page.on('console', (message) => problems.push(message.text()));
    page.on('request', (request) => {
      if (!/^(file|data|blob):/.test(request.url())) problems.push(request.url());
    });
    await page.goto(pathToFileURL(path).href);
    await page.waitForSelector('#chart canvas');
    await use(page);
    t.deepEqual(problems, []);
  } finally {
    await browser.close();
  }
}
