import { emitKeypressEvents } from 'node:readline';
import type { ReadStream } from 'node:tty';

/** One key, or one character of pasted text. */
export interface KeyPress {
  /**
   * `up`, `down`, `left`, `right`, `pageup`, `pagedown`, `home`, `end`, `enter`, `escape`, `backspace`, `space`; the
   * character of a key that writes one; `ctrl-` and the letter with Ctrl.
   */
  readonly name: string;
  /** The character it writes; empty for a key that writes none. */
  readonly text: string;
}

/** A key as node:readline describes it. */
interface NodeKey {
  readonly sequence?: string | undefined;
  readonly name?: string | undefined;
  readonly ctrl?: boolean | undefined;
  readonly meta?: boolean | undefined;
}

/** Listens for keys other than Ctrl-C and Ctrl-Z; the function returned ends that. */
export function onKeys(input: ReadStream, onKey: (key: KeyPress) => void): () => void {
  emitKeypressEvents(input);
  const listener = (text: string | undefined, key: NodeKey) => {
    const press = keyPress(text, key);
    if (press && press.name !== 'ctrl-c' && press.name !== 'ctrl-z') onKey(press);
  };
  input.on('keypress', listener);
  return () => input.off('keypress', listener);
}

/** Undefined for unknown keys, and for keys with Alt. */
function keyPress(text: string | undefined, { sequence, name, ctrl, meta }: NodeKey): KeyPress | undefined {
  if (name === 'return') return { name: 'enter', text: '' };
  if (name === 'escape') return { name, text: '' };
  if (meta || name === 'undefined') return undefined;
  if (ctrl) return name === undefined ? undefined : { name: `ctrl-${name}`, text: '' };
  const written = text ?? '';
  if (name === 'space') return { name, text: written };
  // The letter itself, so that upper case differs from lower case; names of keys are longer.
  if (written !== '' && written === sequence && !/\p{C}/u.test(written))
    return { name: written, text: written };
  return name === undefined ? undefined : { name, text: '' };
}
