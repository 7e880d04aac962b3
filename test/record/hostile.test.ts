import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Format } from '../../src/record/convert/convert.js';
import { MAIN } from '../helpers/cli.js';
import { folderFor } from '../helpers/fixtures.js';
import { limitMemory } from '../helpers/limited.js';
import { LISTS_OF_DAMO, RECORDS, TABLES } from './hostile.js';

/** Converting a record to CSV also names its regions; converting to ndjson reports damaged lines. */
const kinds = [
  ['a record', RECORDS, ['csv', 'ndjson']],
  ['a list of damo', LISTS_OF_DAMO, ['ndjson']],
  ['CSV', TABLES, ['ndjson']],
] as const;

for (const [kind, inputs, formats] of kinds) {
  for (const [name, [content, complaint]] of Object.entries(inputs)) {
    test.serial(
      `${kind}: ${name} ends in a result or in one-line errors, and takes at most 300 MiB`,
      async (t) => {
        const input = join(folderFor(t), 'input');
        writeFileSync(input, content());
        let complaints = '';
        for (const format of formats) complaints += await complaintsOf(t, input, format);
        t.regex(complaints, /^(pagepulse: [^\n]+\n)*$/);
        t.regex(complaints, complaint ?? /^(pagepulse: .*(it is cut off|has no snapshot).*\n)*$/);
      },
    );
  }
}

async function complaintsOf(t: ExecutionContext, input: string, format: Format): Promise<string> {
  const child = spawn(process.execPath, [MAIN, 'convert', input, '--to', format, '-o', `${input}.${format}`]);
  t.teardown(() => child.kill('SIGKILL'));
  const limited = limitMemory(child);
  let err = '';
  child.stderr.on('data', (text) => {
    err += text;
  });
  const [status] = await once(child, 'close');
  t.is(limited.killed, undefined, `${format}: ${limited.peakBytes / 2 ** 20} MiB`);
  t.true(status === 0 || status === 1, `${format}: ${status} ${err.slice(0, 2_000)}`);
  return err;
}
