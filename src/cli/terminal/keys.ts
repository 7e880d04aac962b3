import { emitKeypressEvents } from 'node:readline';
import type { ReadStream } from 'node:tty';

/** One key, or one character of pasted text. */
export interface KeyPress {
  /**
   * `up`, `down`, `left`, `right`, `pageup`, `pagedown`, `home`, `end`, `enter`, `escape`, `backspace`, `space`; of a key
   * that writes a character, that; with Ctrl `ctrl-` and the letter.
   */
  readonly name: string;
  /** The character it writes; empty for a key that writes none. */
  readonly text: string;
}

/** What node:readline makes of a key. */
interface NodeKey {
  readonly sequence?: string | undefined;
  readonly name?: string | undefined;
  readonly ctrl?: boolean | undefined;
  readonly meta?: boolean | undefined;
}

/**
 * Listens for keys. Ctrl-C and Ctrl-Z are left to others.
 *
 * @returns ends it
 */
export function onKeys(input: ReadStream, onKey: (key: KeyPress) => void): () => void {
  emitKeypressEvents(input);
  const listener = (text: string | undefined, key: NodeKey) => {
    const press = keyPress(text, key);
    if (press && press.name !== 'ctrl-c' && press.name !== 'ctrl-z') onKey(press);
  };
  input.on('keypress', listener);
  return () => input.off('keypress', listener);
}

/** Undefined for what no terminal names, and for keys with Alt. */
export function keyPress(
  text: string | undefined,
  { sequence, name, ctrl, meta }: NodeKey,
): KeyPress | undefined {
  if (name === 'return') return { name: 'enter', text: '' };
  if (name === 'escape') return { name, text: '' };
  if (meta || name === 'undefined') return undefined;
  if (ctrl) return name === undefined ? undefined : { name: `ctrl-${name}`, text: '' };
  const written = text ?? '';
  if (name === 'space') return { name, text: written };
  // A letter by itself, so that a large one differs from a small one; the names of keys are longer.
  if (written !== '' && written === sequence && !/\p{C}/u.test(written))
    return { name: written, text: written };
  return name === undefined ? undefined : { name, text: '' };
}
