import * as Comlink from 'comlink';
import { carryErrors } from '../src/engine/comlink-errors.js';
import type { SamplerStart } from '../src/engine/protocol.js';
import { Sampler } from '../src/engine/sampler.js';
import { nameThread } from '../src/kernel/thread-cpu.js';
import { loadSource } from '../src/sources/registry.js';

/** A task that runs until the sampler is no longer needed. */
export default async function sampler(start: SamplerStart): Promise<void> {
  carryErrors();
  nameThread(`sampler ${start.slot}`);
  const source = await loadSource(start.source);
  const sampler = new Sampler(start, source.open());
  Comlink.expose(sampler, start.control);
  await sampler.run();
  start.control.close();
}
