import { fileURLToPath } from 'node:url';
import { chartOption } from './chart.js';
import type { ChartData } from './chart-data.js';
import { CHARACTER_WIDTH, type ChartSize } from './layout.js';

/** One file, without types: the hundred modules that would be needed take seven times as long to load. */
const ECHARTS: string = 'echarts/dist/echarts.esm.min.mjs';

/** The chart as an SVG document, without a browser. Loads ECharts when first called. */
export async function renderSvg(data: ChartData, size: ChartSize): Promise<string> {
  const echarts: typeof import('echarts') = await import(ECHARTS);
  // Node has no canvas to measure text with, and needs none: all characters have one width.
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
/** The characters of the font; for others the system's fonts are loaded. */
const IN_FONT = /^[\t\n\x20-\u024f\u0370-\u03ff\u0400-\u04ff\u2000-\u206f]*$/;

/** Larger pictures are not drawn twice as fine: a pixel takes four bytes. */
const MANY_PIXELS = 2e6;

/**
 * An SVG document as a PNG picture, at twice the resolution for dense screens unless it is large. Uses a font of its own,
 * because a container has none. Loads resvg when first called.
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
