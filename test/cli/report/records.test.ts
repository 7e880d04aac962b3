import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { progressText, withProgress } from '../../../src/cli/report/records.js';
import { headerLine, snapshotLine, targetLine } from '../../../src/record/format.js';
import type { Observation, ObservationSource } from '../../../src/report/source/observation.js';
import { MAIN } from '../../helpers/cli.js';
import { folderFor } from '../../helpers/fixtures.js';
import { EXAMPLE, HEADER, TARGET } from '../../helpers/records.js';
import { onTerminal, Tmux } from '../../helpers/tmux.js';

const GIB = 2 ** 30;
const OBSERVATION: Observation = { snapshot: EXAMPLE, mappings: [], residentBytes: undefined };

function sourceOf(observations: () => AsyncIterable<Observation>): ObservationSource {
  const header = { name: 'it.ndjson', startedAt: '', check: 'idle-page', pageSize: 4096 } as const;
  return { header, observations, notes: () => ['a note'] };
}

class Terminal {
  readonly shown: string[] = [];
  isCleared = false;

  constructor(readonly isShown = true) {}

  show(text: string): void {
    this.shown.push(text);
    this.isCleared = false;
  }

  clear(): void {
    this.isCleared = true;
  }
}

test('it says how much of what is read, and how long the rest takes once that can be told', (t) => {
  const read = (bytesRead: number, totalBytes: number | undefined, elapsedMs: number) =>
    progressText('it.ndjson', { bytesRead, totalBytes }, elapsedMs);
  t.is(read(0.425 * GIB, GIB, 500), 'reading it.ndjson: 42 % of 1 GiB');
  t.is(read(0.25 * GIB, GIB, 2_000), 'reading it.ndjson: 25 % of 1 GiB, 6 s left');
  t.is(read(0, GIB, 2_000), 'reading it.ndjson: 0 % of 1 GiB');
  t.is(read(2 * GIB, GIB, 2_000), 'reading it.ndjson: 100 % of 1 GiB', 'a file that grows');
  t.is(read(GIB, undefined, 2_000), 'reading it.ndjson: 1 GiB', 'a pipe');
  t.is(progressText('\x1b[2J', { bytesRead: 0, totalBytes: undefined }, 0), 'reading ?[2J: 0 B');
});

test('on a terminal the line is there while it is read, and gone when that ends, however it ends', async (t) => {
  for (const how of ['to the end', 'left', 'failed'] as const) {
    const terminal = new Terminal();
    const source = Object.assign(
      sourceOf(async function* () {
        while (terminal.shown.length === 0) yield OBSERVATION;
        if (how === 'failed') throw new Error('unreadable');
        yield OBSERVATION;
      }),
      { bytesRead: 1, totalBytes: 4 },
    );
    const shown = withProgress(source, terminal);
    t.deepEqual([shown.header, shown.notes()], [source.header, ['a note']]);
    const read = async () => {
      for await (const observation of shown.observations()) {
        t.is(observation, OBSERVATION);
        if (how === 'left' && terminal.shown.length > 0) break;
      }
    };
    if (how === 'failed') await t.throwsAsync(read, { message: 'unreadable' });
    else await read();
    t.regex(terminal.shown[0]!, /^reading it\.ndjson: 25 % of 4 B/); // with the time left, if this machine is slow
    t.true(terminal.isCleared, how);
  }
});

test('without a terminal, or where nobody knows how far it is, the source is left alone', (t) => {
  const source = sourceOf(async function* () {});
  t.is(withProgress(source, new Terminal()), source);
  const withLength = Object.assign(
    sourceOf(async function* () {}),
    { bytesRead: 0, totalBytes: 1 },
  );
  t.is(withProgress(withLength, new Terminal(false)), withLength);
});

onTerminal(
  'Ctrl-C while a record is read takes the line away, and ends the program as Ctrl-C does',
  async (t) => {
    const folder = folderFor(t);
    const [begin, snapshot] = ['begin', 'snapshot'].map((name) => join(folder, name)) as [string, string];
    writeFileSync(begin, `${headerLine(HEADER)}\n${targetLine(TARGET)}\n`);
    writeFileSync(snapshot, `${snapshotLine(EXAMPLE)}\n`);
    const record = `(cat ${begin}; while sleep 0.1; do cat ${snapshot}; done)`; // without an end
    const report = `'${process.execPath}' '${MAIN}' report wss -`;
    // Ctrl-C is for the shell too, which has to live on.
    const terminal = new Tmux(t, `trap : INT; ${record} | ${report}; echo status=$?`);
    await terminal.shows(/^reading the input: \d\S* \w+$/m);
    terminal.type('C-c');
    t.is((await terminal.shows(/status/)).trim(), 'status=130');
  },
);

onTerminal('a signal that comes with the end of what is read ends the program all the same', async (t) => {
  const folder = folderFor(t);
  writeFileSync(join(folder, 'begin'), `${headerLine(HEADER)}\n${targetLine(TARGET)}\n`);
  writeFileSync(join(folder, 'snapshot'), `${snapshotLine(EXAMPLE)}\n`);
  const script = `cd ${folder}; mkfifo pipe; '${process.execPath}' '${MAIN}' report wss - <pipe & pid=$!
exec 3>pipe; cat begin >&3
until [ -e now ]; do cat snapshot >&3; sleep 0.1; done
kill -STOP $pid; kill -TERM $pid; exec 3>&-; kill -CONT $pid; wait $pid; echo status=$?`;
  const terminal = new Tmux(t, script);
  await terminal.shows(/^reading the input: \d\S* \w+$/m);
  writeFileSync(join(folder, 'now'), '');
  const shown = await terminal.shows(/status/);
  t.regex(shown, /status=143/);
  t.notRegex(shown, /Working set/);
});
