import test from 'ava';
import { renderBars, renderChart, sparkline } from '../../src/report/charts.js';
import { characters, clip, isUtf8, useAscii } from '../../src/report/terminal-text.js';

for (const [env, expected] of [
  [{}, false],
  [{ LANG: '' }, false],
  [{ LANG: 'C' }, false],
  [{ LANG: 'POSIX' }, false],
  [{ LANG: 'de_DE.ISO-8859-1' }, false],
  [{ LANG: 'C.UTF-8' }, true],
  [{ LANG: 'en_US.utf8' }, true],
  [{ LANG: 'de_DE.UTF-8@euro' }, true],
  [{ LC_CTYPE: 'UTF-8' }, true],
  [{ LANG: 'en_US.UTF-8', LC_ALL: 'C' }, false],
  [{ LANG: 'C', LC_CTYPE: 'en_US.UTF-8' }, true],
  [{ LANG: 'en_US.UTF-8', LC_CTYPE: 'C', LC_ALL: '' }, false],
] as const) {
  test(`the locale of ${JSON.stringify(env)} is ${expected ? '' : 'not '}one of UTF-8`, (t) => {
    t.is(isUtf8(env), expected);
  });
}

/** What every picture is made of, for tests of other renderers too. */
function pictures(): string {
  const values = Array.from({ length: 9 }, (_, i) => i);
  return [
    renderChart(values, 3, String, ['0', '9']),
    renderBars(
      values.map((value) => ({ name: String(value), value })),
      5,
      String,
    ),
    sparkline(values.slice(0, 8), 8),
    clip('a name that is cut', 8),
  ].join('\n');
}

test.serial('in a locale without UTF-8 pictures are of ASCII, as wide and as high as otherwise', (t) => {
  const before = pictures().split('\n');
  useAscii(true);
  t.teardown(() => useAscii(false));
  const text = pictures();
  t.regex(text, /^[\n\x20-\x7e]*$/);
  t.deepEqual(
    text.split('\n').map((line) => line.length),
    before.map((line) => line.length),
  );
  t.true(text.includes('_.-=+*%#'));
  t.true(text.endsWith('\na name ~'));
  t.is(characters().halves, undefined);
});
