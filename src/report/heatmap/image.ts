import { fileURLToPath } from 'node:url';
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

const FONTS = ['400Regular/RobotoMono_400Regular', '700Bold/RobotoMono_700Bold'];
/** Beyond these the font has no characters; then those of the system may have them. */
const IN_FONT = /^[\t\n\x20-\u024f\u0370-\u03ff\u0400-\u04ff\u2000-\u206f]*$/;

/** More pixels than these are not drawn twice as fine: four bytes each. */
const MANY_PIXELS = 2e6;

/**
 * An SVG document as a PNG picture, with twice as many pixels each way, for dense screens, where these are not too many.
 * Brings its font, for a container has none. Loads resvg when first called.
 */
export async function renderPng(svg: string, { width, height }: ChartSize): Promise<Uint8Array> {
  const { Resvg } = await import('@resvg/resvg-js');
  const fontFiles = FONTS.map((name) =>
    fileURLToPath(import.meta.resolve(`@expo-google-fonts/roboto-mono/${name}.ttf`)),
  );
  const font = {
    fontFiles,
    loadSystemFonts: !IN_FONT.test(svg),
    defaultFontFamily: 'Roboto Mono',
    monospaceFamily: 'Roboto Mono',
  };
  return new Resvg(svg, { fitTo: { mode: 'zoom', value: width * height > MANY_PIXELS ? 1 : 2 }, font })
    .render()
    .asPng();
}
