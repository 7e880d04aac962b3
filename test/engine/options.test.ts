import test from 'ava';
import {
  Monitor,
  type MonitorOptions,
  PagepulseError,
  SharingSurvey,
  surveySharing,
} from '../../src/index.js';
import { hotCold } from '../helpers/synthetic.js';

/** Options that a program without types may pass, each with the expected message. */
const WRONG: readonly [given: unknown, message: RegExp][] = [
  [5, /^options must be an object with targets, .* \(got 5\)$/],
  [null, /^options must be an object .* \(got null\)$/],
  [[], /^options must be an object .* \(got an array\)$/],
  [Promise.resolve({}), /^options must be an object .* \(got an object\)$/],
  [{ targts: [] }, /^targts is not an option; choose from: targets, select, /],
  [{ attrs: { sampelUs: 5 } }, /^attrs.sampelUs is not an option; choose from: sampleUs, aggrUs/],
  [{ attrs: { sampleUs: '5' } }, /^attrs.sampleUs must be from 1 us to 1 day, in microseconds \(got "5"\)$/],
  [{ attrs: { aggrUs: Number.NaN } }, /^attrs.aggrUs must be from 1 us .* \(got NaN\)$/],
  [{ attrs: { updateUs: Number.POSITIVE_INFINITY } }, /^attrs.updateUs must be .* \(got Infinity\)$/],
  [{ attrs: { minRegions: 2 } }, /^attrs.minRegions must be an integer from 3 to .* \(got 2\)$/],
  [{ attrs: { maxRegions: null } }, /^attrs.maxRegions must be .* \(got null\)$/],
  [{ attrs: { maxSamplesPerSecond: () => 1 } }, /^attrs.maxSamplesPerSecond must be .* \(got a function\)$/],
  [{ clock: 'x' }, /^clock must be real or virtual \(got "x"\)$/],
  [{ costOf: 'x' }, /^costOf must be monitor or process \(got "x"\)$/],
  [{ check: 'magic' }, /^check must be auto or idle-page or referenced .* \(got "magic"\)$/],
  [{ workers: Symbol('two') }, /^workers must be an integer from 1 to .* \(got Symbol\(two\)\)$/],
  [{ seed: 2 ** 40 }, /^seed must be a 32-bit integer \(got 1099511627776\)$/],
  [{ skipFailing: 'no' }, /^skipFailing must be true or false \(got "no"\)$/],
  [{ durationUs: '1s' }, /^durationUs must be a number above 0, in microseconds \(got "1s"\)$/],
  [{ auto: 1 }, /^auto must be true, false or a goal \(got 1\)$/],
  [{ auto: { aggrs: 1n } }, /^auto.aggrs must be a positive integer \(got 1n\)$/],
  [{ auto: { minSampleUs: 2, maxSampleUs: 1 } }, /^auto: .* minSampleUs .* must not be above maxSampleUs/],
  [{ targets: { pid: 1 } }, /^targets must be an array of targets \(got an object\)$/],
  [{ targets: [hotCold(), 7] }, /^targets\[1\] must be an object with pid, .* \(got 7\)$/],
  [{ targets: [{}] }, /^targets\[0\].pid is required$/],
  [{ targets: [{ pid: -1 }] }, /^targets\[0\].pid must be a PID .* \(got -1\)$/],
  [{ targets: [{ pid: 1.5 }] }, /^targets\[0\].pid must be a PID .* \(got 1.5\)$/],
  [{ targets: [{ pid: '7' }] }, /^targets\[0\].pid must be a PID .* \(got "7"\)$/],
  [
    { targets: [{ pid: 7, startTime: 7 }] },
    /^targets\[0\].startTime must be a string of decimal digits \(got 7\)$/,
  ],
  [
    { targets: [{ pid: 7, ranges: [{ startAddress: 0, endAddress: '1' }] }] },
    /^targets\[0\].ranges\[0\].endAddress must be a number of bytes .* \(got "1"\)$/,
  ],
  [
    { targets: [hotCold(), { pid: 7, ranges: [{ startAddress: 5, endAddress: 1 }] }] },
    /^targets\[1\].ranges: cannot watch the range 5-1: it is empty/,
  ],
  [{ targets: [{ synthetic: { phases: [] } }] }, /^targets\[0\].synthetic: .* needs at least one phase/],
  [{ targets: [{ synthetic: { phases: [{ lastsUs: 1 }] } }] }, /synthetic.phases\[0\].accesses is required$/],
  [{ select: { pid: [1] } }, /^select.pid is not an option; choose from: pids, runs, names/],
  [{ select: { names: ['a'] } }, /^select.names\[0\] must be a regular expression \(got "a"\)$/],
  [{ select: { names: [/a/], maxTargets: 0 } }, /^select.maxTargets must be a positive integer \(got 0\)$/],
  [{ select: { users: [-1] } }, /^select.users\[0\] must be a user name or UID \(got -1\)$/],
];

for (const [given, message] of WRONG) {
  test.serial(`options are rejected: ${message.source}`, async (t) => {
    await t.throwsAsync(Monitor.start(given as MonitorOptions), {
      instanceOf: PagepulseError,
      code: 'ATTRS',
      message,
    });
  });
}

test.serial('a getter that throws is named, and its error is the cause', async (t) => {
  const cause = new Error('not today');
  const target = Object.defineProperty({}, 'pid', {
    enumerable: true,
    get() {
      throw cause;
    },
  });
  const error = await t.throwsAsync(Monitor.start({ targets: [target] } as unknown as MonitorOptions), {
    code: 'ATTRS',
    message: 'targets[0].pid could not be read: not today; give plain values',
  });
  t.is(error!.cause, cause);
});

test.serial('unreadable options are rejected in the same form', async (t) => {
  const locked = {
    ownKeys: () => {
      throw new Error('locked');
    },
  };
  const options = new Proxy({ attrs: {} }, locked);
  await t.throwsAsync(Monitor.start(options), {
    code: 'ATTRS',
    message: 'options could not be read: locked; give plain values',
  });
});

test.serial('undefined members mean the default, and options are not modified', async (t) => {
  const options = { targets: [hotCold()], attrs: { sampleUs: undefined, aggrUs: 50_000 }, seed: undefined };
  await using monitor = await Monitor.start(Object.freeze(options) as unknown as MonitorOptions);
  t.is(monitor.attrs.sampleUs, 2_500);
});

test.serial('invalid calls to a running monitor are rejected in the same form', async (t) => {
  await using monitor = await Monitor.start({ targets: [hotCold()] });
  const refused = async (asked: () => Promise<unknown>, message: RegExp) => {
    await t.throwsAsync(asked, { instanceOf: PagepulseError, code: 'ATTRS', message });
  };
  const any = monitor as unknown as Record<string, (given?: unknown) => Promise<unknown>>;
  await refused(() => any.attach!(7), /^target must be an object .* \(got 7\)$/);
  await refused(() => any.attach!({ pid: 0 }), /^target.pid must be a PID .* \(got 0\)$/);
  await refused(() => any.attachAll!('x'), /^targets must be an array .* \(got "x"\)$/);
  await refused(
    () => any.attachAll!([hotCold(), { pid: 1, pidd: 2 }]),
    /^targets\[1\].pidd is not an option/,
  );
  await refused(() => any.detach!('0'), /^id must be the ID of a target \(got "0"\)$/);
  await refused(() => any.detachAll!([0, Number.NaN]), /^ids\[1\] must be .* \(got NaN\)$/);
  await refused(() => any.setAttrs!({ sampleUs: '5' }), /^attrs.sampleUs must be .* \(got "5"\)$/);
  await refused(() => any.setAttrs!(undefined), /^attrs must be an object .* \(got undefined\)$/);
  await refused(() => any.setAttrs!({ aggrUs: () => 5 }), /^attrs.aggrUs must be .* \(got a function\)$/);
  t.is(monitor.targets.length, 1, 'and nothing changed');
  for await (const snapshot of monitor) {
    const threshold = Number.NaN;
    t.throws(() => snapshot.workingSetBytes(threshold), {
      code: 'ATTRS',
      message: /^minNrAccesses must be a number, 0 or more \(got NaN\)$/,
    });
    break;
  }
});

test.serial('surveys of shared memory reject options in the same form', async (t) => {
  const any = SharingSurvey as unknown as new (given: unknown) => SharingSurvey;
  t.throws(() => new any(5), { code: 'ATTRS', message: /^options must be an object .* \(got 5\)$/ });
  t.throws(() => new any({ method: 'x' }), {
    code: 'ATTRS',
    message: /^method must be frames or pss \(got "x"\)$/,
  });
  t.throws(() => new any({ maxCpuPercent: '1' }), {
    code: 'ATTRS',
    message: /^maxCpuPercent must be above 0 % of a core \(got "1"\)$/,
  });
  await t.throwsAsync(surveySharing([{ id: 0, pid: 1.5, workingSet: [] }], { method: 'pss' }), {
    code: 'ATTRS',
    message: /^targets\[0\].pid must be a PID .* \(got 1.5\)$/,
  });
  await t.throwsAsync(
    surveySharing([{ id: 0, pid: 1, workingSet: ['a', 'b'] as never }], { method: 'pss' }),
    {
      code: 'ATTRS',
      message: /^targets\[0\].workingSet must be an array of page numbers \(got an array\)$/,
    },
  );
});
