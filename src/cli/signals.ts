import { failStalledPipes } from '../record/output-stream.js';

/**
 * Signals by which a terminal, a person, a timer or a limit ends a program. Those that suspend and resume it are left to
 * the kernel and Screen.
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

/** Does something before a signal ends the program as it would without a listener; the function returned undoes that. */
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
 * How the user stops a session: with a signal or a key. Only the first one stops it properly; a signal after that ends the
 * program as usual. Create it before anything is started that would be left behind.
 */
export class Stopping {
  #stop: Stop | undefined;
  #asked: Parameters<Stop>[0] | undefined;
  #isQuit = false;

  constructor() {
    for (const signal of ENDING_SIGNALS) process.on(signal, this.#signalled);
  }

  /** Whether the user has asked to stop. */
  get isAsked(): boolean {
    return this.#asked !== undefined;
  }

  /** Whether it was by a key: a user who quits a table needs no explanation why it was still empty. */
  get isQuit(): boolean {
    return this.#isQuit;
  }

  /** Sets what stops the session once there is one; calls it at once if the user has asked before. */
  with(stop: Stop): void {
    this.#stop = stop;
    if (this.#asked) stop(this.#asked);
  }

  /** For a key. Stops as SIGTERM does; may be called again. */
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
