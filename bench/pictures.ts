import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { heatMapOf } from '../src/report/heatmap/heat-map.js';
import { gather } from '../src/report/heatmap/sums.js';
import { renderHeatMap } from '../src/report/heatmap/terminal.js';
import { openRecord } from '../src/report/source/recorded.js';
import { terminalSvg } from './terminal-svg.js';

// `npm run docs:pictures` makes the pictures of heat maps in the docs, from the lab's recording of a moving workload. Needs
// Chromium (`apt-get install chromium`, or CHROMIUM=PATH).

const MAIN = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));
const FIXTURES = fileURLToPath(new URL('../../test/fixtures/', import.meta.url));
const RECORD = 'moving.ndjson.gz';
/** In the page: the middle of a range while it is hot. */
const POINTER = [470, 350] as const;
const folder = mkdtempSync(join(tmpdir(), 'pagepulse-pictures-'));
try {
  await terminal();
  await page();
} finally {
  rmSync(folder, { recursive: true });
}

async function terminal(): Promise<void> {
  const source = await openRecord(join(FIXTURES, RECORD));
  const targets = await gather(source);
  const map = heatMapOf({ ...source.header, name: RECORD }, targets, 'hottest', 1);
  const lines = renderHeatMap(map, { width: 100, lines: 24, colour: 'truecolor', theme: 'dark' });
  const title = 'pagepulse report heatmap in a terminal: three ranges of 8 MiB are hot, elsewhere every 10 s';
  writeFileSync(join(DOCS, 'heatmap-terminal.svg'), terminalSvg(lines, title));
}

async function page(): Promise<void> {
  const html = join(folder, 'heat.html');
  execFileSync(process.execPath, [MAIN, 'report', 'heatmap', RECORD, '-o', html], { cwd: FIXTURES });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  try {
    const tab = await browser.newPage({ viewport: { width: 1_200, height: 700 } });
    await tab.goto(pathToFileURL(html).href);
    tab.setDefaultTimeout(100_000);
    await tab.waitForSelector('#chart canvas');
    await tab.mouse.move(...POINTER);
    await tab.locator('#chart table').waitFor();
    await tab.waitForTimeout(1_000); // for what fades in and out
    await tab.screenshot({ path: join(DOCS, 'heatmap.png') });
  } finally {
    await browser.close();
  }
}
