import { release } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import type { Snapshot } from '../core/snapshot.js';
import type { Monitor } from '../engine/monitor.js';
import { MemoryReader } from '../processes/memory-reader.js';
import { abandonedRecordings } from '../record/output-file.js';
import { Recording } from '../record/recording.js';
import type { Rotation } from '../record/rotation.js';
import { formatCost, formatInForce } from '../report/status-text.js';
import { formatDuration, parseBytes, parseDurationUs } from '../report/units.js';
import { VERSION } from '../version.js';
import { note, tellLost, UsageError } from './failure.js';
import { FirstSnapshot } from './first-snapshot.js';
import { addWatchOptions, requireTargets, type WatchOptions } from './options.js';
import { tellSelection } from './selection-notes.js';
import { Stopping } from './signals.js';
import { StatusLine, Waiting } from './status-line.js';
import { watching } from './watching.js';

interface RecordOptions extends WatchOptions {
  readonly output?: string;
  readonly force?: boolean;
  readonly rotate?: Rotation;
}

const STATUS_MS = 250;

export function addRecord(program: Command): void {
  addWatchOptions(program.command('record'))
    .description('record which memory processes use, for later')
    .option('-o, --output <file>', 'where to, - for standard output; .gz is compressed (default: by date)')
    .option('--force', 'replace the file if it exists, when the record is whole')
    .option(
      '--rotate <time|size>',
      'begin a new file in this time (1h), or when this one has that size (1GiB, as it is on disk): it.ndjson is always ' +
        'the newest, it.1.ndjson the one before, it.2.ndjson before that; each can be read alone',
      parseRotation,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  pagepulse record --pid 4242 --duration 30s -o it.ndjson\n  pagepulse record -- node server.js\n' +
        '  pagepulse record --name postgres --rotate 1h -o it.ndjson.gz',
    )
    .action(record);
}

async function record(command: readonly string[], options: RecordOptions): Promise<void> {
  requireTargets(options, command, 'pagepulse record --pid 4242');
  const path = options.output ?? defaultName();
  if (path === '-' && command.length > 0) {
    throw new UsageError('the command writes to standard output itself; give the record a file with -o');
  }
  if (path === '-' && options.rotate) {
    throw new UsageError('standard output is no file that --rotate could begin anew; give one with -o');
  }
  const stopping = new Stopping();
  const recording = Recording.create(path, { force: options.force ?? false, rotation: options.rotate });
  for (const part of abandonedRecordings(path)) {
    note(
      `${part} holds an earlier recording that was killed before it could replace ${path}; keep or remove it`,
    );
  }
  let isSeen = false;
  try {
    await watching({ options, command, stopping, aim: { done: 'recorded' } }, async ({ monitor }) => {
      isSeen = await write(monitor, recording);
      return isSeen;
    });
  } finally {
    const part = isSeen ? undefined : await recording.discard().catch(() => undefined);
    if (part !== undefined) note(`what was recorded is in ${part}; ${path} has not been replaced`);
  }
}

/** Writes the whole record; returns whether it has a snapshot. */
async function write(monitor: Monitor, recording: Recording): Promise<boolean> {
  const { startedAt, startedMonotonicNs, pageSize, check, attrs, seed } = monitor;
  const tool = `pagepulse ${VERSION}`;
  const header = { tool, startedAt, startedMonotonicNs, kernel: release(), pageSize, check, attrs, seed };
  monitor.on('attrs', (change) => recording.attrs(change));
  monitor.on('otherWatcher', (other) => recording.otherWatcher(other));
  await recording.begin(header, new MemoryReader(monitor));
  const status = new RecordingStatus();
  const first = new FirstSnapshot(monitor);
  const waiting = new Waiting(() => first.waitingText());
  const known = new Set<number>();
  monitor.on('detached', (target, reason, message) => {
    if (reason !== 'failed') return;
    waiting.clear();
    status.clear();
    note(tellLost(target, message));
  });
  try {
    for await (const snapshot of monitor) {
      waiting.end();
      await recording.snapshot(snapshot);
      known.add(snapshot.target.id);
      status.update(snapshot, known.size);
    }
    waiting.end();
    const { reason, stats } = await monitor.ended;
    await recording.end(reason, stats);
    status.clear();
    if (status.isShown && stats.snapshots > 0) {
      const before = recording.files > 1 ? ` and ${recording.files - 1} before it` : '';
      note(
        `${stats.snapshots - stats.droppedSnapshots} snapshots in ${recording.path}${before}, at ` +
          formatCost({ ...stats, recentCpuPercent: null }),
      );
    }
    tellSelection(monitor);
    return known.size > 0;
  } finally {
    waiting.end();
    status.clear();
  }
}

/** What a recording has so far, on one line of the terminal. */
class RecordingStatus extends StatusLine {
  #shownAt = 0;

  update({ endUs, stats }: Snapshot, processes: number): void {
    if (!this.isShown || performance.now() - this.#shownAt < STATUS_MS) return;
    this.#shownAt = performance.now();
    const dropped = stats.droppedSnapshots > 0 ? `, ${stats.droppedSnapshots} dropped` : '';
    this.show(
      `recording ${processes === 1 ? '1 process' : `${processes} processes`} for ${formatDuration(
        Math.round(endUs / 1e5) * 1e5,
      )}: ${stats.snapshots} snapshots${dropped}, ${formatCost(stats)}, ${formatInForce(stats.inForce)}, ${stats.regions} regions; Ctrl-C ends it`,
    );
  }

  override clear(): void {
    super.clear();
    this.#shownAt = 0;
  }
}

/** `1h`, `30min`, `1GiB`, `30M`, or a number of bytes. Shorter ones would make files of little but their headers. */
function parseRotation(text: string): Rotation {
  const everyUs = orUndefined(() => parseDurationUs(text));
  const fromBytes = everyUs === undefined ? orUndefined(() => parseBytes(text)) : undefined;
  if (everyUs !== undefined && everyUs >= 1e6) return { everyUs };
  if (fromBytes !== undefined && fromBytes >= 2 ** 16) return { fromBytes };
  throw new InvalidArgumentError('Give a time from 1s on or a size from 64KiB on, as in 1h or 1GiB.');
}

function orUndefined<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

/** pagepulse-20260131-120000.ndjson, in local time as the people who look for it. */
function defaultName(): string {
  const now = new Date();
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `pagepulse-${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}.ndjson`;
}
