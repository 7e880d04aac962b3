import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { isOneLine, MAIN, run } from './helpers/cli.js';
import { folderFor } from './helpers/fixtures.js';

const exec = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { dependencies, peerDependencies, devDependencies, peerDependenciesMeta } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
);

/** A project that has installed the package as npm publishes it, without the optional packages. */
async function projectWithPackage(t: ExecutionContext): Promise<{ project: string; files: string[] }> {
  const project = folderFor(t);
  const modules = join(project, 'node_modules');
  const { stdout } = await exec(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', project],
    {
      cwd: ROOT,
    },
  );
  const [{ filename, files }] = JSON.parse(stdout);
  const installed = join(modules, 'pagepulse');
  mkdirSync(installed, { recursive: true });
  await exec('tar', ['xzf', join(project, filename), '-C', installed, '--strip-components', '1']);
  for (const name of [...Object.keys(dependencies), '@types/node']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
  return { project, files: files.map(({ path }: { path: string }) => path) };
}

const PROGRAM = `
import { DEFAULT_ATTRS, Monitor, type MonitorEnd, PagepulseError, type Snapshot } from 'pagepulse';

const monitor: Monitor = await Monitor.start({ targets: [{ pid: process.pid }], check: 'referenced' });
const hot = (snapshot: Snapshot): number => snapshot.workingSetBytes();
for await (const snapshot of monitor) {
  console.log(snapshot.target.pid, hot(snapshot) >= 0, DEFAULT_ATTRS.minRegions);
  break;
}
await monitor.stop();
const { reason }: MonitorEnd = await monitor.ended;
console.log(reason, PagepulseError.name);
`;

test('a program in TypeScript compiles with the package, with Node types and no others, and every type is checked', async (t) => {
  const { project, files } = await projectWithPackage(t);
  writeFileSync(join(project, 'program.ts'), PROGRAM);
  const compilerOptions = {
    target: 'ES2023',
    lib: ['ES2023'],
    types: ['node'],
    module: 'NodeNext',
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
  const { stdout } = await exec(
    process.execPath,
    [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', project],
    {
      cwd: project,
    },
  ).catch((error) => error);
  t.is(stdout, '');
  const program = await exec(process.execPath, [join(project, 'program.js')], { cwd: project });
  t.is(program.stdout, `${program.stdout.split(' ')[0]} true 10\nstopped PagepulseError\n`);
  t.deepEqual(
    files.filter((path) => path.endsWith('.map')),
    [],
    'maps are of no use without the sources',
  );
});

test('where an optional package is missing, its command is named before work begins in vain; the rest works', async (t) => {
  const { project } = await projectWithPackage(t);
  const main = join(project, 'node_modules/pagepulse/dist/src/cli/main.js');
  const record = join(project, 'it.ndjson');
  const damon = join(ROOT, 'test/record/convert/kernel/damo-3.4.1.data');
  const cli = (...args: string[]) =>
    exec(process.execPath, [main, ...args], { cwd: project }).then(
      ({ stdout, stderr }) => ({ status: 0, out: stdout, err: stderr }),
      ({ code, stdout, stderr }) => ({ status: code, out: stdout, err: stderr }),
    );
  t.like(await cli('convert', damon, '--to', 'ndjson', '-o', record), { status: 0, err: '' });
  t.like(await cli('convert', record, '--to', 'csv', '-o', join(project, 'it.csv')), { status: 0, err: '' });
  t.is((await cli('report', 'heatmap', record)).status, 0, 'a terminal needs none');
  const refused: readonly [args: readonly string[], packages: string][] = [
    [['report', 'heatmap', record, '-o', 'it.html'], 'echarts'],
    [['report', 'heatmap', record, '-o', 'it.svg'], 'echarts'],
    [
      ['report', 'heatmap', '--pid', String(process.pid), '--duration', '1h', '-o', 'it.png'],
      'echarts @resvg/resvg-js @expo-google-fonts/roboto-mono',
    ],
    [['convert', record, '--to', 'arrow', '-o', 'it.arrow'], 'apache-arrow'],
    [['convert', join(project, 'it.csv'), '--to', 'ndjson', '-o', 'again.ndjson'], 'csv-parse'],
  ];
  for (const [args, packages] of refused) {
    const outcome = await cli(...args);
    t.is(outcome.status, 1);
    isOneLine(t, outcome, new RegExp(`not installed; run \`npm install ${packages}\``));
  }
  t.deepEqual(
    readdirSync(project).filter((name) => /^(it|again)\..*(html|svg|png|arrow|part)$|^again/.test(name)),
    [],
  );
});

test('what is optional for others is there in a checkout, in the same versions', (t) => {
  for (const [name, version] of Object.entries(peerDependencies)) {
    t.is(devDependencies[name], version, name);
    t.true(peerDependenciesMeta[name].optional, name);
  }
});

/** Prints every module that is loaded, to standard error. */
const TELL_MODULES = `data:text/javascript,${encodeURIComponent(
  `import { register } from 'node:module';
   register('data:text/javascript,' + encodeURIComponent(
     "import { writeSync } from 'node:fs'; export const load = (url, context, next) => { writeSync(2, url + '\\\\n'); return next(url, context); };"));`,
)}`;

async function modulesOf(...args: string[]): Promise<string[]> {
  const { stderr } = await exec(process.execPath, ['--import', TELL_MODULES, MAIN, ...args]);
  return stderr
    .trim()
    .split('\n')
    .filter((url) => url.startsWith('file:'))
    .map((url) => fileURLToPath(url).slice(ROOT.length));
}

test('the version loads nothing but itself, and the list of commands none of them', async (t) => {
  t.deepEqual(await modulesOf('--version'), ['dist/src/cli/main.js', 'dist/src/version.js']);
  const ours = (await modulesOf('--help')).filter((path) => !path.startsWith('node_modules/commander/'));
  t.deepEqual(ours.sort(), [
    'dist/src/cli/main.js',
    'dist/src/cli/output.js',
    'dist/src/cli/program.js',
    'dist/src/core/errors.js',
    'dist/src/core/printable.js',
    'dist/src/record/output-error.js',
    'dist/src/report/terminal-text.js',
    'dist/src/version.js',
  ]);
});

test('the list of commands says of each what it says of itself', async (t) => {
  const list = (await run(t, '--help')).out.split('Commands:\n')[1]!.replaceAll(/\n {10,}/g, ' ');
  const names = [...list.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name!).filter((name) => name !== 'help');
  t.is(names.length, 9);
  for (const name of names) {
    const [usage, , description] = (await run(t, name, '--help')).out.split('\n');
    const [, term, said] = new RegExp(`^ {2}(${name}\\b.*?) {2,}(.*)$`, 'm').exec(list)!;
    // A command without options of its own has but --help, which the list does not show.
    t.true(
      [`Usage: pagepulse ${term}`, `Usage: pagepulse ${term} [options] [command]`].includes(usage!),
      usage,
    );
    t.is(said, description, name);
  }
});
