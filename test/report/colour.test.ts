import test from 'ava';
import { bold, dim, heatColour, paint } from '../../src/report/colour.js';

const ESC = '\x1b';

/** CIE L* (CIE 15, sRGB primaries, D65), 0 .. 100: how light a colour looks. */
function lightness(channels: readonly number[]): number {
  const [red, green, blue] = channels.map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  return luminance > 0.008856 ? 116 * Math.cbrt(luminance) - 16 : 903.3 * luminance;
}

/** Of one of the 216 colours of the cube in xterm's palette. */
function ofPalette(index: number): number[] {
  const levels = [0, 95, 135, 175, 215, 255];
  const at = index - 16;
  return [Math.floor(at / 36), Math.floor(at / 6) % 6, at % 6].map((step) => levels[step]!);
}

const STEPS = Array.from({ length: 21 }, (_, i) => i / 20);

test('equal differences of heat look about equally large, in grey too', (t) => {
  const lightnesses = STEPS.map((share) => lightness(heatColour(share)));
  const even = (lightnesses.at(-1)! - lightnesses[0]!) / 20;
  for (let i = 1; i < lightnesses.length; i++) {
    const step = lightnesses[i]! - lightnesses[i - 1]!;
    t.true(step > even / 2 && step < even * 2, `${STEPS[i]}: a step of ${step}, where ${even} would be even`);
  }
});

test('every heat differs from black, from dark grey and from white', (t) => {
  for (const share of STEPS) {
    const itsLightness = lightness(heatColour(share));
    t.true(itsLightness > 22 && itsLightness < 90, `${share}: ${itsLightness}`);
  }
});

test('256 colours get lighter with the heat, too', (t) => {
  const codes = STEPS.slice(1).map((share) => /48;5;(\d+)m/.exec(paint([share], '256'))![1]!);
  const lightnesses = [...new Set(codes)].map((code) => lightness(ofPalette(Number(code))));
  t.true(lightnesses.length >= 8);
  t.deepEqual(
    lightnesses,
    [...lightnesses].sort((a, b) => a - b),
  );
});

test('without colour a digit is the first decimal, a dot is never, a space is no memory', (t) => {
  t.is(paint([Number.NaN, 0, 0.0001, 0.049, 0.1, 0.19, 0.5, 0.89, 0.9, 1], 'none'), ' .00115899');
});

test('a little is told from never in every mode', (t) => {
  for (const mode of ['truecolor', '256', 'none'] as const) {
    t.not(paint([0.001], mode), paint([0], mode));
    t.not(paint([0], mode), paint([Number.NaN], mode));
    if (mode !== 'none') t.regex(paint([0.001], mode), /\[48;/);
  }
});

test('a run of equal cells has one colour code, and the line ends without attributes', (t) => {
  t.is(paint([1, 1, 1], 'truecolor'), `${ESC}[48;2;246;215;70m   ${ESC}[0m`);
  t.is(paint([1, 0], '256'), `${ESC}[48;5;220m ${ESC}[0m${ESC}[2m.${ESC}[0m`);
  t.is(paint([0, Number.NaN], '256'), `${ESC}[2m.${ESC}[0m `);
  t.is(paint([], 'truecolor'), '');
});

test('bold and dim are nothing without colour', (t) => {
  t.is(bold('text', 'none') + dim('text', 'none'), 'texttext');
  t.is(bold('text', '256'), `${ESC}[1mtext${ESC}[0m`);
});
