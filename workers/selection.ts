import * as Comlink from 'comlink';
import { carryErrors } from '../src/engine/comlink-errors.js';
import { SelectionLooks, type SelectionStart } from '../src/engine/selection-looks.js';
import { nameThread } from '../src/kernel/thread-cpu.js';

/** A task that lasts until its thread is ended. */
export default async function selection({ control }: SelectionStart): Promise<void> {
  carryErrors();
  nameThread('selection');
  Comlink.expose(new SelectionLooks(), control);
  await new Promise((resolve) => control.once('close', resolve));
}
