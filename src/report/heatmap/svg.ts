import { chartOption } from './chart.js';
import type { ChartData } from './chart-data.js';
import { CHARACTER_WIDTH, type ChartSize } from './layout.js';

/** One file: its parts, of which less is needed, are some hundred, and take seven times as long to load. It has no types. */
const ECHARTS: string = 'echarts/dist/echarts.esm.min.mjs';

/** The chart as an SVG document, without a browser. Loads ECharts when first called. */
export async function renderSvg(data: ChartData, size: ChartSize): Promise<string> {
  const echarts: typeof import('echarts') = await import(ECHARTS);
  // There is no canvas to measure text with, and none is needed: all characters are of one width.
  echarts.setPlatformAPI({ measureText });
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...size });
  try {
    chart.setOption(chartOption(data, size, false));
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

function measureText(text: string, font = ''): { width: number } {
  const size = Number(/(\d+(?:\.\d+)?)px/.exec(font)?.[1] ?? 12);
  return { width: text.length * size * CHARACTER_WIDTH };
}
