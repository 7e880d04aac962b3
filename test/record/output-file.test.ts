import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { abandonedRecordings, OutputFile } from '../../src/record/output-file.js';
import { folderFor } from '../helpers/fixtures.js';

/** Traps under the name of an output file; each returns a check that its target is untouched. */
const PLANTED: Record<string, (path: string) => () => boolean> = {
  'a link to a file': (path) => {
    writeFileSync(`${path}.victim`, 'precious');
    symlinkSync(`${path}.victim`, path);
    return () => readFileSync(`${path}.victim`, 'utf8') === 'precious';
  },
  'a link to nothing': (path) => {
    symlinkSync(`${path}.victim`, path);
    return () => !existsSync(`${path}.victim`);
  },
  'a link to a device': (path) => {
    symlinkSync('/dev/full', path);
    return () => true;
  },
  // The output would be lost.
  'a link to /dev/null': (path) => {
    symlinkSync('/dev/null', path);
    return () => true;
  },
};

for (const [what, plant] of Object.entries(PLANTED)) {
  for (const isRecording of [true, false]) {
    test(`${what} is never followed, and only replaced with force (${isRecording ? 'recording' : 'conversion'})`, (t) => {
      const path = join(folderFor(t), 'it');
      const isUntouched = plant(path);
      t.throws(() => OutputFile.create(path, { isRecording }), { code: 'OUTPUT', message: /already exists/ });
      const file = OutputFile.create(path, { isRecording, force: true });
      writeSync(file.fd, 'new');
      t.true(lstatSync(path).isSymbolicLink(), 'until the new one is complete');
      file.finish();
      t.true(lstatSync(path).isFile());
      t.is(readFileSync(path, 'utf8'), 'new');
      t.true(isUntouched());
    });
  }
}

const REFUSED: Record<string, (t: ExecutionContext, path: string) => unknown> = {
  'a pipe': (_, path) => execFileSync('mkfifo', [path]),
  'a socket': async (t, path) => {
    const server = createServer().listen(path);
    t.teardown(() => server.close());
    await once(server, 'listening');
  },
  'a link to a terminal': (_, path) => symlinkSync('/dev/tty', path),
  'a folder': (_, path) => mkdirSync(path),
};

for (const [what, plant] of Object.entries(REFUSED)) {
  test(`${what} is refused at once`, async (t) => {
    const path = join(folderFor(t), 'it');
    await plant(t, path);
    const before = lstatSync(path);
    t.throws(() => OutputFile.create(path), { code: 'OUTPUT' });
    if (!before.isSymbolicLink())
      t.throws(() => OutputFile.create(path, { force: true }), { code: 'OUTPUT' });
    t.is(lstatSync(path).ino, before.ino);
  });
}

const loop = process.getuid?.() === 0 && existsSync('/dev/loop0') && statSync('/dev/loop0').isBlockDevice();
(loop ? test : test.skip)('a link to a block device is not opened (as root, with loop devices)', (t) => {
  const path = join(folderFor(t), 'it');
  symlinkSync('/dev/loop0', path);
  t.throws(() => OutputFile.create(path), { code: 'OUTPUT', message: /already exists/ });
  t.throws(() => OutputFile.create('/dev/loop0', { force: true }), {
    code: 'OUTPUT',
    message: /not a regular/,
  });
});

test('devices are refused, except /dev/null', (t) => {
  for (const force of [false, true])
    t.throws(() => OutputFile.create('/dev/full', { force }), { message: /full: not a regular file/ });
  const file = OutputFile.create('/dev/null');
  t.false(file.isRegular);
  t.is(fstatSync(file.fd).rdev, statSync('/dev/null').rdev);
});

test('an open descriptor can be written to', (t) => {
  const path = join(folderFor(t), 'it');
  const fd = openSync(path, 'w');
  const file = OutputFile.create(`/dev/fd/${fd}`);
  t.is(file.fd, fd);
  t.is(OutputFile.create('/dev/stdout').fd, 1);
});

test('a replaced file leaves nothing behind, and discarding removes only the own file', (t) => {
  const here = folderFor(t);
  const path = join(here, 'it');
  writeFileSync(path, 'old', { mode: 0o666 });
  const file = OutputFile.create(path, { force: true });
  writeSync(file.fd, 'new');
  file.finish();
  t.is(statSync(path).mode & 0o777, 0o600);
  file.discard();
  t.deepEqual(readdirSync(here), ['it']);

  const moved = OutputFile.create(join(here, 'other'), { isRecording: true });
  renameSync(moved.path, join(here, 'moved'));
  writeFileSync(moved.path, 'somebody else');
  moved.discard();
  t.deepEqual(readdirSync(here).sort(), ['it', 'moved', 'other']);
});

/** Creates files in another process, which is then killed or keeps running. */
async function partsOf(t: ExecutionContext, path: string, isKilled: boolean): Promise<string[]> {
  const program = `
    import { OutputFile } from '${new URL('../../src/record/output-file.js', import.meta.url)}';
    const path = process.argv[1];
    OutputFile.create(path, { force: true });
    OutputFile.create(path, { force: true, isRecording: true });
    console.log('made');
    setInterval(() => {}, 1_000);
  `;
  const before = readdirSync(join(path, '..'));
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, path]);
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  if (isKilled) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  return readdirSync(join(path, '..'))
    .filter((name) => !before.includes(name))
    .sort();
}

test('the next run with the same path removes the part of a killed process; a recording is kept', async (t) => {
  const here = folderFor(t);
  const path = join(here, 'it');
  writeFileSync(path, 'old');
  const dead = await partsOf(t, path, true);
  t.is(dead.length, 2);
  const [part, recording] = dead.map((name) => join(here, name)) as [string, string];
  const others = [`${path}.1-1-${recording.match(/[0-9a-f]{8}(?=\.recording)/)}.part`, `${path}.part`];
  symlinkSync(path, others[0]!); // a link is never removed, whatever its name
  writeFileSync(others[1]!, '');

  OutputFile.create(join(here, 'another')).discard();
  t.true(existsSync(part));
  t.deepEqual(abandonedRecordings(path), [recording]);
  OutputFile.create(path, { force: true }).discard();
  t.false(existsSync(part));
  t.true(existsSync(recording));
  t.is(readlinkSync(others[0]!), path);
  t.true(existsSync(others[1]!));
});

test('the part of a running process is left alone, in another container until it is a day old', async (t) => {
  const here = folderFor(t);
  const path = join(here, 'it');
  writeFileSync(path, 'old');
  const live = await partsOf(t, path, false);
  const foreign = `${path}.4194303-1-00000000.part`;
  writeFileSync(foreign, '');
  OutputFile.create(path, { force: true }).discard();
  t.deepEqual(abandonedRecordings(path), []);
  t.true([...live, 'it'].every((name) => existsSync(join(here, name))));
  t.true(existsSync(foreign));
  utimesSync(foreign, 0, 0);
  OutputFile.create(path, { force: true }).discard();
  t.false(existsSync(foreign));
});
