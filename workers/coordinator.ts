import * as Comlink from 'comlink';
import { carryErrors } from '../src/engine/comlink-errors.js';
import { Coordinator } from '../src/engine/coordinator.js';
import type { CoordinatorStart } from '../src/engine/protocol.js';
import { nameThread } from '../src/kernel/thread-cpu.js';

/** A task that runs until the monitor ends. */
export default async function coordinator(start: CoordinatorStart): Promise<void> {
  carryErrors();
  nameThread('coordinator');
  const coordinator = new Coordinator(start);
  Comlink.expose(coordinator, start.control);
  await coordinator.run();
  start.control.close();
  start.host.close();
  start.data.close();
}
