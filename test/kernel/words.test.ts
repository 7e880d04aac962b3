import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { nativeWords, WordBatch, WordFile } from '../../src/kernel/words.js';

const WORDS = new URL('../../src/kernel/words.js', import.meta.url).href;

/** What a script prints as JSON that reads and writes `file`, a file of the words 0, 1, 2, ... 99. */
function run(script: string, native: '0' | '1'): { printed: unknown; words: number[] } {
  const folder = mkdtempSync(join(tmpdir(), 'pagepulse-words-'));
  try {
    const path = join(folder, 'words');
    writeFileSync(
      path,
      new BigUint64Array(100).map((_, i) => BigInt(i)),
    );
    const whole = `
      import { WordBatch, WordFile } from ${JSON.stringify(WORDS)};
      const path = ${JSON.stringify(path)};
      const file = new WordFile(path, 'r+');
      const batch = (...indices) => {
        const made = new WordBatch(8);
        made.indices.set(indices);
        made.count = indices.length;
        return made;
      };
      console.log(JSON.stringify((() => {${script}})()));`;
    const env = { ...process.env, PAGEPULSE_NATIVE: native };
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', whole], {
      env,
      encoding: 'utf8',
    });
    const bytes = readFileSync(path);
    const words = Array.from({ length: bytes.length / 8 }, (_, i) => Number(bytes.readBigUInt64LE(8 * i)));
    return { printed: JSON.parse(out), words };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const [how, native] of [
  ['one by one', '0'],
  ['in one call', '1'],
] as const) {
  test(`words are read ${how}, in any order, and those that the file does not have are 0`, (t) => {
    const script =
      'const b = batch(7, 3, 1_000, 99); b.halves.fill(5); return [file.readBatch(b), [...b.halves]];';
    const { printed } = run(script, native);
    t.deepEqual(printed, [3, [7, 0, 3, 0, 0, 0, 99, 0, 5, 5, 5, 5, 5, 5, 5, 5]]);
  });

  test(`what lies between words is read along, ${how}, and left out`, (t) => {
    const script = `
      const b = batch(3, 4, 8, 8, 40, 97, 99, 101);
      b.halves.fill(5);
      const there = new WordFile(path, 'r', 4).readBatch(b);
      return [there, [...b.halves].filter((_, i) => i % 2 === 0), b.halves.some((half, i) => i % 2 && half)];`;
    t.deepEqual(run(script, native).printed, [7, [3, 4, 8, 8, 40, 97, 99, 0], false]);
  });

  test(`words far apart in a row of many are read ${how} in parts`, (t) => {
    const script = `
      const far = new WordBatch(1_200);
      for (let i = 0; i < 1_200; i++) far.indices[i] = i;
      far.count = 1_200;
      return [new WordFile(path, 'r', 24).readBatch(far), far.halves[2 * 99], far.halves[2 * 1_100]];`;
    t.deepEqual(run(script, native).printed, [100, 99, 0]);
  });

  test(`words are written ${how}, and no others`, (t) => {
    const script = 'const b = batch(5, 2); b.halves.set([50, 0, 20, 1]); file.writeBatch(b);';
    const { words } = run(`${script} return 0;`, native);
    t.deepEqual(words.slice(0, 7), [0, 1, 20 + 2 ** 32, 3, 4, 50, 6]);
    t.is(words.length, 100);
  });

  test(`an error is the system's, ${how}`, (t) => {
    const script = `const b = batch(1); file.close();
      try { file.readBatch(b) } catch ({ code }) { return code }`;
    t.is(run(script, native).printed, 'EBADF');
  });
}

test('without words to read nothing is asked', (t) => {
  const file = new WordFile('/dev/zero');
  file.close();
  t.is(file.readBatch(new WordBatch(4)), 0);
});

test('the batch calls are there where they can be built', (t) => {
  const hasCompiler = (() => {
    try {
      execFileSync('cc', ['--version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  })();
  t.is(nativeWords !== undefined, hasCompiler && process.env.PAGEPULSE_NATIVE !== '0');
});
