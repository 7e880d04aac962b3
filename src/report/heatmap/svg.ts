import { chartOption } from './chart.js';
import type { ChartData } from './chart-data.js';
import { CHARACTER_WIDTH, type ChartSize } from './layout.js';

/** The chart as an SVG document, without a browser. Loads ECharts when first called. */
export async function renderSvg(data: ChartData, size: ChartSize): Promise<string> {
  const [core, charts, components, renderers] = await Promise.all([
    import('echarts/core'),
    import('echarts/charts'),
    import('echarts/components'),
    import('echarts/renderers'),
  ]);
  const {
    AriaComponent,
    GraphicComponent,
    GridComponent,
    LegendComponent,
    TitleComponent,
    VisualMapComponent,
  } = components;
  core.use([charts.CustomChart, renderers.SVGRenderer]);
  core.use([
    AriaComponent,
    GraphicComponent,
    GridComponent,
    LegendComponent,
    TitleComponent,
    VisualMapComponent,
  ]);
  // There is no canvas to measure text with, and none is needed: all characters are of one width.
  core.setPlatformAPI({ measureText });
  const chart = core.init(null, null, { renderer: 'svg', ssr: true, ...size });
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
