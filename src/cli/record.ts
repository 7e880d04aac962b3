import { release } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import type { Snapshot } from '../core/snapshot.js';
import { MemoryReader } from '../processes/facts.js';
import { abandonedRecordings } from '../record/output-file.js';
import { Recording, type Rotation } from '../record/recording.js';
import { formatCost, formatInForce } from '../report/status-text.js';
import { formatDuration, parseBytes, parseDurationUs } from '../report/units.js';
import type { Session, SessionEvent } from '../session/session.js';
import { VERSION } from '../version.js';
import { waitingText } from './notes.js';
import { addWatchOptions, type WatchOptions, withExamples } from './options.js';
import { LiveStatus, note, UsageError } from './output.js';
import { planOf, runSession } from './run-session.js';

interface RecordOptions extends WatchOptions {
  readonly output?: string;
  readonly force?: boolean;
  readonly rotate?: Rotation;
}

export function define(command: Command): void {
  addWatchOptions(command)
    .option('-o, --output <file>', 'write here, - for standard output; .gz compresses (default: by date)')
    .option('--force', 'replace an existing file once the record is complete')
    .option(
      '--rotate <time|size>',
      'start a new file after this time (1h) or size on disk (1GiB); it.ndjson is the newest, it.1.ndjson the one ' +
        'before; each can be read alone',
      parseRotation,
    )
    .action(record);
  withExamples(
    command,
    'record --pid 4242 --duration 30s -o it.ndjson',
    'record -- node server.js',
    'record --name postgres --rotate 1h -o it.ndjson.gz',
  );
}

async function record(command: readonly string[], options: RecordOptions): Promise<void> {
  const plan = planOf(options, command, 'pagepulse record --pid 4242');
  const path = options.output ?? defaultName();
  if (path === '-' && command.length > 0)
    throw new UsageError('the command writes to standard output itself; give the record a file with -o');
  if (path === '-' && options.rotate)
    throw new UsageError('--rotate cannot start a new file on standard output; give a file with -o');
  const recording = Recording.create(path, { force: options.force ?? false, rotation: options.rotate });
  for (const part of abandonedRecordings(path)) {
    note(
      `${part} holds an earlier recording that was killed before it could replace ${path}; keep or remove it`,
    );
  }
  let isSeen = false;
  try {
    await runSession({ ...plan, aim: { done: 'recorded' } }, async (session, events) => {
      isSeen = await write(session, events, recording);
      return isSeen;
    });
  } finally {
    const part = isSeen ? undefined : await recording.discard().catch(() => undefined);
    if (part !== undefined) note(`the incomplete record is in ${part}; ${path} has not been replaced`);
  }
}

/** Writes the whole record; returns whether it has a snapshot. */
async function write(
  session: Session,
  events: AsyncIterable<SessionEvent>,
  recording: Recording,
): Promise<boolean> {
  const { monitor } = session;
  const { startedAt, startedMonotonicNs, pageSize, check, cover, attrs, seed } = monitor;
  const tool = `pagepulse ${VERSION}`;
  const header = {
    tool,
    startedAt,
    startedMonotonicNs,
    kernel: release(),
    pageSize,
    check,
    ...(monitor.source.delivers === 'pages' && { cover }),
    attrs,
    seed,
  };
  await recording.begin(header, new MemoryReader(monitor));
  const known = new Set<number>();
  let latest: Snapshot | undefined;
  const status = new LiveStatus(() => (latest ? recordingText(latest, known.size) : waitingText(session)));
  try {
    for await (const event of events) {
      if (event.type === 'attrs') recording.attrs(event.change);
      else if (event.type === 'otherWatcher') recording.otherWatcher(event.other);
      else if (event.type === 'snapshot') {
        await recording.snapshot(event.snapshot);
        known.add(event.snapshot.target.id);
        latest = event.snapshot;
      }
    }
    const { reason, stats } = await session.ended;
    await recording.end(reason, stats);
    if (status.isShown && stats.snapshots > 0) {
      const before = recording.files > 1 ? ` and ${recording.files - 1} before it` : '';
      const cost = formatCost({ ...stats, recentCpuPercent: null });
      note(`${stats.snapshots - stats.droppedSnapshots} snapshots in ${recording.path}${before}, at ${cost}`);
    }
    return known.size > 0;
  } finally {
    status.end();
  }
}

/** What a recording has so far. */
function recordingText({ endUs, stats }: Snapshot, processes: number): string {
  const what = processes === 1 ? '1 process' : `${processes} processes`;
  const time = formatDuration(Math.round(endUs / 1e5) * 1e5);
  const dropped = stats.droppedSnapshots > 0 ? `, ${stats.droppedSnapshots} dropped` : '';
  const pace = `${formatCost(stats)}, ${formatInForce(stats.inForce)}, ${stats.regions} regions`;
  return `recording ${what} for ${time}: ${stats.snapshots} snapshots${dropped}, ${pace}; Ctrl-C to stop`;
}

/** `1h`, `30min`, `1GiB`, `30M`, or a number of bytes. Below the limits, files would hold little but their headers. */
function parseRotation(text: string): Rotation {
  const everyUs = orUndefined(() => parseDurationUs(text));
  const fromBytes = everyUs === undefined ? orUndefined(() => parseBytes(text)) : undefined;
  if (everyUs !== undefined && everyUs >= 1e6) return { everyUs };
  if (fromBytes !== undefined && fromBytes >= 2 ** 16) return { fromBytes };
  throw new InvalidArgumentError('Give a time of at least 1s or a size of at least 64KiB, as in 1h or 1GiB.');
}

function orUndefined<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

/** pagepulse-20260131-120000.ndjson, in local time. */
function defaultName(): string {
  const now = new Date();
  const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString();
  return `pagepulse-${local.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}.ndjson`;
}
