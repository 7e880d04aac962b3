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
import { writeExample } from './heatmap-example.js';
import { terminalSvg } from './terminal-svg.js';

/**
 * The documentation's pictures of heat maps, made anew from a recording that is the same every time:
 * `npm run docs:pictures`. Needs Chromium (`apt-get install chromium`, or CHROMIUM=PATH).
 */

const MAIN = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'pagepulse-pictures-'));
try {
  const record = join(folder, 'server.ndjson');
  await writeExample(record);
  await terminal(record);
  await page();
} finally {
  rmSync(folder, { recursive: true });
}

async function terminal(record: string): Promise<void> {
  const source = await openRecord(record);
  const targets = await gather(source);
  const map = heatMapOf({ ...source.header, name: 'server.ndjson' }, targets, 'hottest', 1);
  const lines = renderHeatMap(map, { width: 100, lines: 24, colour: 'truecolor', theme: 'dark' });
  const title = 'pagepulse report heatmap in a terminal: a window of 96 MiB moves through a shared buffer';
  writeFileSync(join(DOCS, 'heatmap-terminal.svg'), terminalSvg(lines, title));
}

/** With the pointer on the window that moves. */
async function page(): Promise<void> {
  const html = join(folder, 'heat.html');
  execFileSync(process.execPath, [MAIN, 'report', 'heatmap', 'server.ndjson', '-o', html], { cwd: folder });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  try {
    const tab = await browser.newPage({ viewport: { width: 1_200, height: 700 } });
    await tab.goto(pathToFileURL(html).href);
    await tab.waitForSelector('#chart canvas');
    await tab.mouse.move(652, 304);
    await tab.locator('#chart table').waitFor();
    await tab.screenshot({ path: join(DOCS, 'heatmap.png') });
  } finally {
    await browser.close();
  }
}
