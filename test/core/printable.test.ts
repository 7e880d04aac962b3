import test from 'ava';
import fc from 'fast-check';
import { PagepulseError } from '../../src/core/errors.js';
import { jsonText, printable, printableLines } from '../../src/core/printable.js';

const UNPRINTABLE = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u;
const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
});

test('JSON contains no unprintable characters, and keeps its value', (t) => {
  const values = fc.jsonValue({ noUnicodeString: false });
  fc.assert(
    fc.property(anyText, values, fc.constantFrom(undefined, 2), (text, value, indent) => {
      const document = { [text]: [text, value] };
      const json = jsonText(document, undefined, indent);
      t.notRegex(json, UNPRINTABLE);
      t.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(document)));
    }),
  );
  t.is(
    jsonText('\x1b\x7f\x9b\u202e\u2028\ud83d\u{e0041}ä🚀'),
    '"\\u001b\\u007f\\u009b\\u202e\\u2028\\ud83d\\udb40\\udc41ä🚀"',
  );
});

test('lines keep only text, line feeds and attributes', (t) => {
  t.is(printableLines('a\x1b[1mb\x1b[0m\n\x1b]0;c\x07\r\x1b[2J\u202e'), 'a\x1b[1mb\x1b[0m\n?]0;c???[2J?');
  fc.assert(
    fc.property(anyText, (text) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: attributes are control sequences
      t.notRegex(printableLines(text).replaceAll(/\x1b\[[0-9;]*m/g, ''), UNPRINTABLE);
      t.notRegex(printable(text), /[\p{C}\p{Zl}\p{Zp}]/u);
    }),
  );
});

test('the message of an error is printable', (t) => {
  t.is(
    new PagepulseError('ZOMBIE', 'process 1 (\x1b]0;x\x07) has ended').message,
    'process 1 (?]0;x?) has ended',
  );
});
