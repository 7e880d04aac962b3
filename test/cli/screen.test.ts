import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { colourOf } from '../../src/cli/terminal/screen.js';

const ESC = '\x1b';
const ENTER = `${ESC}[?1049h${ESC}[?25l${ESC}[?7l`;
const LEAVE = `${ESC}[?2026l${ESC}[0m${ESC}[?7h${ESC}[?25h${ESC}[?1049l`;
const SCREEN = new URL('../../src/cli/terminal/screen.js', import.meta.url).href;

/** So that no program outlives a test that failed. */
const PROGRAM_MS = 240_000;
const PATIENCE_MS = 120_000;

const hasScript = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') ?? false;
/** A real terminal is needed, and script(1) of util-linux makes one. */
const onTerminal: (title: string, run: (t: ExecutionContext) => Promise<void>) => void = hasScript
  ? (title, run) => test(title, run)
  : (title) => test.skip(`${title} (not run: there is no script(1) of util-linux)`, () => {});

/** Waits for it to be so, but not for ever. */
async function until(isSo: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!isSo() && performance.now() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** What a program with a Screen did on a terminal of its own, from before it to after it. */
class Terminal {
  text = '';
  hasEnded = false;
  readonly #script: ChildProcess;

  /** @param program of an ES module in which `Screen` is known, and `say(text)` draws a frame of one line */
  constructor(
    program: string,
    { before = '', shell = 'node --input-type=module -e "$PROGRAM"; echo status=$?', dir = '' } = {},
  ) {
    const prelude = `${before};
      import { Screen } from '${SCREEN}';
      const screen = new Screen(() => globalThis.onQuit?.(), () => globalThis.onResize?.(), globalThis.onKey);
      const say = (text) => screen.draw([text]);
      const alive = setTimeout(() => process.exit(99), ${PROGRAM_MS});`;
    // The limit on CPU time is for a program that answers nothing any more, if one should be tested.
    const command = `ulimit -t 20; stty cols 80 rows 24; stty -g | sed s/^/modes=/; ${shell}; stty -g | sed s/^/modes=/`;
    this.#script = spawn('script', ['-qec', command, '/dev/null'], {
      env: {
        ...process.env,
        FORCE_COLOR: undefined,
        NO_COLOR: '1',
        SHELL: '/bin/sh',
        PROGRAM: prelude + program,
        DIR: dir,
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#script.stdout!.setEncoding('utf8').on('data', (data: string) => {
      this.text += data;
    });
    this.#script.once('close', () => {
      this.hasEnded = true;
    });
  }

  type(keys: string): void {
    this.#script.stdin!.write(keys);
  }

  pause(): void {
    this.#script.stdout!.pause();
  }

  resume(): void {
    this.#script.stdout!.resume();
  }

  /** The match, as soon as what was shown since `from` has one. */
  async shows(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    await until(() => pattern.test(this.text.slice(from)));
    const match = pattern.exec(this.text.slice(from));
    if (match) return match;
    throw new Error(
      `the terminal does not show ${pattern}, but ${JSON.stringify(this.text.slice(from, 2_000))}`,
    );
  }

  /** Gives up the terminal, and what still runs on it gets SIGHUP. */
  end(): void {
    this.#script.kill('SIGKILL');
  }
}

/** The alternate screen was entered and left, and the modes of the line are what they were. */
function isRestored(t: ExecutionContext, { text }: Terminal): void {
  t.true(text.includes(ENTER));
  t.true(text.lastIndexOf(LEAVE) > text.lastIndexOf(ENTER));
  t.false(text.slice(text.lastIndexOf(LEAVE) + LEAVE.length).includes(ESC));
  const [before, after] = [...text.matchAll(/^modes=(\S+)/gm)].map((match) => match[1]);
  t.truthy(before);
  t.is(after, before);
}

async function onA(t: ExecutionContext, terminal: Terminal, act: () => Promise<void>): Promise<void> {
  t.teardown(() => terminal.end());
  await act();
  await until(() => terminal.hasEnded);
  t.true(terminal.hasEnded, 'the program goes on');
}

for (const [name, key] of [
  ['q', 'q'],
  ['Ctrl-C', '\x03'],
  ['Ctrl-\\', '\x1c'],
]) {
  onTerminal(`${name} is told, and closing gives the terminal back`, async (t) => {
    const terminal = new Terminal(`
      globalThis.onQuit = () => { screen.close(); screen.close(); console.log('closed'); clearTimeout(alive); };
      say('ready');`);
    await onA(t, terminal, async () => {
      await terminal.shows(/ready/);
      terminal.type(key!);
    });
    isRestored(t, terminal);
    t.regex(terminal.text, /closed\r\n/);
    t.regex(terminal.text, /status=0/);
    t.is(terminal.text.split(LEAVE).length, 2);
  });
}

for (const [signal, status] of [
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGXCPU', 152],
] as const) {
  onTerminal(`${signal} ends the program as usual, and the terminal is as it was`, async (t) => {
    const terminal = new Terminal(`say('pid ' + process.pid + '.');`);
    await onA(t, terminal, async () => {
      const [, pid] = await terminal.shows(/pid (\d+)\./);
      process.kill(Number(pid), signal);
    });
    isRestored(t, terminal);
    t.true(terminal.text.includes(`status=${status}`));
  });
}

onTerminal('a signal that another listener takes is left to it, even to one that listens once', async (t) => {
  const before = `process.once('SIGTERM', () => {
    setTimeout(() => { console.log('ended in order'); process.exit(5); }, 20);
  })`;
  const terminal = new Terminal(`say('pid ' + process.pid + '.');`, { before });
  await onA(t, terminal, async () => {
    const [, pid] = await terminal.shows(/pid (\d+)\./);
    process.kill(Number(pid), 'SIGTERM');
  });
  isRestored(t, terminal);
  t.true(terminal.text.indexOf('ended in order') > terminal.text.indexOf(LEAVE));
  t.true(terminal.text.includes('status=5'));
});

onTerminal('an exception while drawing is printed after the terminal was given back', async (t) => {
  const terminal = new Terminal(`
    say('ready');
    setTimeout(() => { throw new Error('drawing failed'); }, 10);`);
  await onA(t, terminal, async () => {});
  isRestored(t, terminal);
  t.true(terminal.text.lastIndexOf('Error: drawing failed') > terminal.text.indexOf(LEAVE));
  t.regex(terminal.text, /status=1/);
});

onTerminal('process.exit gives the terminal back', async (t) => {
  const terminal = new Terminal(`say('ready'); process.exit(3);`);
  await onA(t, terminal, async () => {});
  isRestored(t, terminal);
  t.regex(terminal.text, /status=3/);
});

onTerminal('Ctrl-Z gives the terminal to the shell, and fg takes it again', async (t) => {
  const shell = `set -m; node --input-type=module -e "$PROGRAM"; echo stopped; stty -g | sed s/^/modes=/; read line; fg; echo status=$?`;
  const terminal = new Terminal(
    `globalThis.onQuit = () => process.exit(4);
     globalThis.onResize = () => say('again');
     say('ready');`,
    { shell },
  );
  await onA(t, terminal, async () => {
    await terminal.shows(/ready/);
    terminal.type('\x1a');
    await terminal.shows(/stopped\r\nmodes=/);
    isRestored(t, terminal);
    const stoppedAt = terminal.text.length;
    terminal.type('\n');
    await terminal.shows(/again/, stoppedAt);
    terminal.type('q');
  });
  isRestored(t, terminal);
  t.regex(terminal.text, /status=4/);
});

onTerminal('a program that was stopped without a warning takes the terminal again, too', async (t) => {
  const shell = `set -m; node --input-type=module -e "$PROGRAM"; stty sane; echo stopped; read line; fg; echo status=$?`;
  const terminal = new Terminal(
    `globalThis.onQuit = () => process.exit(4);
     globalThis.onResize = () => say('again');
     say('pid ' + process.pid + '.');`,
    { shell },
  );
  await onA(t, terminal, async () => {
    const [, pid] = await terminal.shows(/pid (\d+)\./);
    process.kill(Number(pid), 'SIGSTOP');
    await terminal.shows(/stopped\r\n/);
    terminal.type('\n');
    await terminal.shows(/again/);
    terminal.type('q'); // no line feed: only raw mode passes it on
  });
  t.regex(terminal.text, /status=4/);
});

onTerminal('Ctrl-Z without a shell that could wake the program only draws again', async (t) => {
  const terminal = new Terminal(`
    globalThis.onQuit = () => process.exit(0);
    globalThis.onResize = () => say('again');
    say('ready');`);
  await onA(t, terminal, async () => {
    await terminal.shows(/ready/);
    terminal.type('\x1a');
    await terminal.shows(/again/);
    terminal.type('q');
  });
  isRestored(t, terminal);
});

onTerminal('a new size is told', async (t) => {
  const terminal = new Terminal(`
    import { execSync } from 'node:child_process';
    globalThis.onResize = () => { say('size ' + screen.width + 'x' + screen.height); setTimeout(() => process.exit(), 10); };
    execSync('stty cols 44 rows 11', { stdio: 'inherit' });`);
  await onA(t, terminal, async () => {
    await terminal.shows(/size 44x11/);
  });
  isRestored(t, terminal);
});

onTerminal('a frame begins at the top, erases what it does not cover, and spares a full line', async (t) => {
  const terminal = new Terminal(`
    screen.draw(['short', '\\x1b[1m' + 'x'.repeat(80) + '\\x1b[0m', 'end']);
    setTimeout(() => { screen.draw(Array(30).fill('y'.repeat(80))); process.exit(); }, 10);`);
  await onA(t, terminal, async () => {});
  // The terminal puts a return of its own before every line feed.
  const text = terminal.text.replaceAll('\r\r\n', '\r\n');
  const full = `${ESC}[1m${'x'.repeat(80)}${ESC}[0m`;
  t.true(
    text.includes(`${ESC}[?2026h${ESC}[Hshort${ESC}[K\r\n${full}\r\nend${ESC}[K\r\n${ESC}[J${ESC}[?2026l`),
  );
  const rows = Array<string>(24).fill('y'.repeat(80));
  t.true(text.includes(`${ESC}[?2026h${ESC}[H${rows.join('\r\n')}${ESC}[?2026l`));
});

onTerminal(
  'of a frame like the last one only the lines that differ are drawn, unless it is forgotten',
  async (t) => {
    const terminal = new Terminal(`
    const frames = [['one', 'two', 'three'], ['one', 'TWO', 'three'], ['one', 'TWO', 'three'], ['one']];
    const timer = setInterval(() => {
      if (frames.length > 0) return screen.draw(frames.shift());
      clearInterval(timer);
      screen.forget();
      screen.draw(['one']);
      process.exit();
    }, 20);`);
    await onA(t, terminal, async () => {});
    const frames = terminal.text.replaceAll('\r\r\n', '\r\n').split(`${ESC}[?2026h`).slice(1);
    t.deepEqual(
      frames.map((frame) => frame.split(`${ESC}[?2026l`)[0]),
      [
        `${ESC}[Hone${ESC}[K\r\ntwo${ESC}[K\r\nthree${ESC}[K\r\n${ESC}[J`,
        `${ESC}[2HTWO${ESC}[K`,
        `${ESC}[2H${ESC}[J`,
        `${ESC}[Hone${ESC}[K\r\n${ESC}[J`,
      ],
    );
  },
);

onTerminal('who listens for keys gets them by name, and q too; Ctrl-C quits all the same', async (t) => {
  const before = `const names = [];
    globalThis.onKey = ({ name, text }) => {
      names.push(text === '' ? name : name + '=' + text);
      say(names.join(' ') + '.');
    }`;
  const terminal = new Terminal(`globalThis.onQuit = () => process.exit(6); say('ready');`, { before });
  await onA(t, terminal, async () => {
    await terminal.shows(/ready/);
    terminal.type('qR /\x1b[A\x1bOB\x1b[5~\x1b[F\r\x7f\x15漢');
    await terminal.shows(/q=q R=R space= {2}\/=\/ up down pageup end enter backspace ctrl-u 漢=漢\./);
    terminal.type('\x1b');
    await terminal.shows(/escape\./);
    terminal.type('\x03');
  });
  isRestored(t, terminal);
  t.regex(terminal.text, /status=6/);
});

onTerminal('frames for a terminal that takes none are left out, and the program goes on', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'pagepulse-screen-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const terminal = new Terminal(
    `import { writeFileSync } from 'node:fs';
     let frames = 0;
     globalThis.onQuit = () => process.exit();
     say('ready');
     const timer = setInterval(() => {
       screen.draw(Array(24).fill('frame ' + ++frames + ' ' + 'x'.repeat(60)));
       if (frames < 1000) return;
       clearInterval(timer);
       writeFileSync(process.env.DIR + '/frames', 'all');
     }, 1);`,
    { dir },
  );
  await onA(t, terminal, async () => {
    await terminal.shows(/ready/);
    terminal.pause();
    await until(() => existsSync(join(dir, 'frames')));
    t.true(existsSync(join(dir, 'frames')), 'the program waits for the terminal');
    terminal.resume();
    terminal.type('q');
  });
  isRestored(t, terminal);
  // Without the first one, and the last, which may have been cut short by leaving.
  const frames = terminal.text.split(`${ESC}[?2026h`).slice(2, -1);
  t.true(frames.length > 0 && frames.length < 1000, `${frames.length} of 1000`);
  for (const frame of frames) {
    const numbers = [...frame.matchAll(/frame (\d+) x{60}/g)].map((match) => match[1]);
    t.is(numbers.length, 24, 'a frame is whole');
    t.is(new Set(numbers).size, 1);
  }
});

test('a terminal shows what it says it can', (t) => {
  t.is(colourOf({ TERM: 'xterm-256color' }, true), '256');
  t.is(colourOf({ TERM: 'tmux-256color', COLORTERM: 'truecolor' }, true), 'truecolor');
  t.is(colourOf({ TERM: 'xterm-256color', COLORTERM: '24bit' }, true), 'truecolor');
  t.is(colourOf({ TERM: 'xterm-kitty' }, true), 'truecolor');
  t.is(colourOf({ TERM: 'xterm-direct' }, true), 'truecolor');
  t.is(colourOf({ TERM: 'linux' }, true), 'none');
  t.is(colourOf({ TERM: 'dumb', COLORTERM: 'truecolor' }, true), 'none');
  t.is(colourOf({}, true), 'none');
});

test('what is no terminal has no colour, unless it is forced', (t) => {
  t.is(colourOf({ TERM: 'xterm-256color', COLORTERM: 'truecolor' }, false), 'none');
  t.is(colourOf({ FORCE_COLOR: '3' }, false), 'truecolor');
  t.is(colourOf({ FORCE_COLOR: '2' }, false), '256');
  t.is(colourOf({ FORCE_COLOR: '1' }, false), '256');
  t.is(colourOf({ FORCE_COLOR: '', COLORTERM: 'truecolor' }, false), 'truecolor');
});

test('NO_COLOR is obeyed where it says something, and FORCE_COLOR goes before it', (t) => {
  t.is(colourOf({ TERM: 'xterm-256color', NO_COLOR: '1' }, true), 'none');
  t.is(colourOf({ TERM: 'xterm-256color', NO_COLOR: '' }, true), '256');
  t.is(colourOf({ TERM: 'xterm-256color', FORCE_COLOR: '0' }, true), 'none');
  t.is(colourOf({ TERM: 'xterm-256color', FORCE_COLOR: '3', NO_COLOR: '1' }, true), 'truecolor');
});
