import { failStalledPipes } from '../record/output-stream.js';

/**
 * Signals that a terminal, a person, a timer or a limit sends to end a program, or that end one unawares. Those that stop
 * it and let it go on are left to the kernel, and to Screen.
 */
export const ENDING_SIGNALS = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGALRM',
  'SIGVTALRM',
  'SIGXCPU',
  'SIGUSR2',
] as const;

/** Does something before a signal ends the program as if nobody had listened; the function returned stops that. */
export function beforeSignalEnds(act: () => void): () => void {
  const listener = (signal: NodeJS.Signals) => {
    stop();
    act();
    process.kill(process.pid, signal);
  };
  const stop = () => {
    for (const signal of ENDING_SIGNALS) process.off(signal, listener);
  };
  for (const signal of ENDING_SIGNALS) process.once(signal, listener);
  return stop;
}

type Stop = (signal: 'SIGINT' | 'SIGTERM') => void;

/**
 * How the user ends what is being watched: with a signal or a key. Only the first one stops it properly; a signal after
 * that ends the program as it usually does. To be made before anything is started that would be left behind.
 */
export class Stopping {
  #stop: Stop | undefined;
  #asked: Parameters<Stop>[0] | undefined;
  #isQuit = false;

  constructor() {
    for (const signal of ENDING_SIGNALS) process.on(signal, this.#signalled);
  }

  /** Whether the user has asked for the end. */
  get isAsked(): boolean {
    return this.#asked !== undefined;
  }

  /** Whether it was a key: who looks at the table and quits needs no reason why it shows nothing yet. */
  get isQuit(): boolean {
    return this.#isQuit;
  }

  /** Takes what stops it all, once there is something; calls it at once if the end was asked for before. */
  with(stop: Stop): void {
    this.#stop = stop;
    if (this.#asked) stop(this.#asked);
  }

  /** For a key. As SIGTERM does; may be called again. */
  readonly quit = (): void => {
    this.#isQuit ||= !this.isAsked;
    this.#ask('SIGTERM');
  };

  readonly #signalled = (signal: NodeJS.Signals): void => {
    failStalledPipes();
    this.#ask(signal === 'SIGINT' ? signal : 'SIGTERM');
  };

  #ask(signal: 'SIGINT' | 'SIGTERM'): void {
    if (this.#asked) return;
    this.#asked = signal;
    for (const each of ENDING_SIGNALS) process.off(each, this.#signalled);
    this.#stop?.(signal);
  }
}
