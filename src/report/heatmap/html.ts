import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { jsonText } from '../../core/printable.js';
import { escapeHtml } from './chart.js';
import type { ChartData } from './chart-data.js';

/** The modules that the page runs, each after those it imports; they import nothing else. */
const MODULES = ['../units.js', './layout.js', './chart.js'];

/**
 * A page that stands alone: it needs no network, and no name that it shows can run as code. It contains ECharts' own build
 * and our modules unchanged.
 */
export async function renderHtml(data: ChartData): Promise<string> {
  const library = await readFile(fileURLToPath(import.meta.resolve('echarts/dist/echarts.min.js')), 'utf8');
  const modules = await Promise.all(MODULES.map((path) => readFile(new URL(path, import.meta.url), 'utf8')));
  const { background, dim } = data.colours;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<title>${escapeHtml(data.title)}</title>
<style>
html, body { margin: 0; height: 100%; background: ${background}; }
#chart { width: 100%; height: calc(100vh - 30px); }
p { margin: 0; padding: 0 20px; color: ${dim}; font: 12px/1.5 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
</style>
<div id="chart"></div>
<p>wheel: zoom the time; shift and wheel: zoom the addresses; drag: move; the icons at the top right: zoom into a box, show all, save</p>
<script type="application/json" id="data">${jsonText(data).replaceAll('<', '\\u003c')}</script>
<script>${inScript(library)}</script>
<script type="module">
${modules.map(inPage).join('\n')}
${START}
</script>
</html>
`;
}

/** Code that does not end its script element early. */
function inScript(code: string): string {
  return code.replaceAll(/<\/(script)/gi, '<\\/$1').replaceAll('<!--', '<\\!--');
}

/** A module of ours without its imports, which stand before it in the same script. */
function inPage(code: string): string {
  return inScript(code)
    .replaceAll(/^import [^;]*;$/gm, '')
    .replaceAll(/^\/\/# sourceMappingURL=.*$/gm, '');
}

const START = `
const data = JSON.parse(document.getElementById('data').textContent);
const box = document.getElementById('chart');
box.style.minHeight = leastHeight(data) + 'px';
box.style.minWidth = LEAST_WIDTH + 'px';
const chart = echarts.init(box);
const size = () => ({ width: box.clientWidth, height: box.clientHeight });
chart.setOption(chartOption(data, size(), true));

/** Ticks and names for the visible part. */
function label() {
  const { dim } = data.colours;
  const xAxis = [];
  const yAxis = [];
  placeRanges(data, size()).forEach(({ range, box, isLowest }, gridIndex) => {
    const corner = (x, y) => chart.convertFromPixel({ gridIndex }, [x, y]);
    const [startUs, end] = corner(box.left, box.top);
    const [endUs, start] = corner(box.left + box.width, box.top + box.height);
    xAxis.push(timeLabels(startUs, endUs, box, isLowest, dim));
    yAxis.push(addressLabels(start, end, box, dim), nameLabels(data, range, start, end, box));
  });
  chart.setOption({ xAxis, yAxis });
}
chart.on('datazoom', () => {
  chart.dispatchAction({ type: 'hideTip' });
  label();
});
chart.on('restore', label);
addEventListener('resize', () => {
  chart.resize();
  chart.setOption(chartOption(data, size(), true));
  label();
});
`;
