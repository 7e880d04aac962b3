import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const INDEX = fileURLToPath(new URL('../../src/index.js', import.meta.url));
const HOT_COLD = fileURLToPath(new URL('../helpers/synthetic.js', import.meta.url));

/** Starts more samplers than the thread limit allows, and prints the result. */
const SCRIPT = `
const { Monitor } = await import('${INDEX}');
const { hotCold } = await import('${HOT_COLD}');
const targets = Array.from({ length: 100 }, () => hotCold());
await Monitor.start({ targets, workers: 'per-target' }).catch(({ code, message }) => console.log(code, message));
const monitor = await Monitor.start({ targets: targets.slice(0, 2) });
for await (const _ of monitor) break;
await monitor.stop();
console.log('and fewer can be watched');
`;

/** The limit covers all processes of a user, and not root. So the test needs a user without processes. */
const NOBODY = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];

test('threads that cannot start are reported as an error, and leave nothing behind', (t) => {
  const asNobody = (command: string) =>
    spawnSync('setpriv', [...NOBODY, 'bash', '--norc', '-c', command, process.execPath, SCRIPT], {
      encoding: 'utf8',
    });
  if (asNobody(`test -r ${INDEX} && test -x "$0"`).status !== 0) {
    t.log(
      'only root can become a user whose threads are limited, and nobody must be able to read this folder',
    );
    return t.pass();
  }
  const { status, stdout, stderr } = asNobody('ulimit -u 50; exec "$0" --input-type=module -e "$1"');
  t.is(stderr, '');
  t.regex(
    stdout,
    /^THREADS a sampler thread could not start: .*; check the limits .*\nand fewer can be watched\n$/,
  );
  t.is(status, 0);
});
