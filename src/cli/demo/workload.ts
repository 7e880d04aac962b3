import { Worker } from 'node:worker_threads';
import { readMappings } from '../../kernel/maps.js';
import { pageSize } from '../../kernel/page-size.js';
import type { AddressRange } from '../../processes/process-request.js';

/**
 * A process whose hot and cold memory is known: one mapping of 256 MiB that is written once, one of 64 MiB that is written
 * all the time. Prints their addresses on standard output, and exits at the end of standard input.
 */
const MIB = 2 ** 20;
const PAGE = pageSize();

process.on('SIGUSR1', () => {}); // otherwise Node listens for a debugger

const cold = Buffer.alloc(256 * MIB, 1);
// The kernel joins neighbouring anonymous mappings; the guard page of a thread's stack keeps these two apart.
const between = new Worker('require("node:worker_threads").parentPort.once("message", () => {})', {
  eval: true,
});
await new Promise((resolve) => between.once('online', resolve));
const hot = Buffer.alloc(64 * MIB, 1);

process.stdin.on('end', () => process.exit(cold[0]! - 1)).resume();
process.stdout.write(`${JSON.stringify(mappingsOf(cold.length, hot.length))}\n`);

/** Given back to the kernel in every round; more than it flushes page by page. */
const flushed = new ArrayBuffer(0, { maxByteLength: MIB });

let round = 0;
setInterval(() => {
  round++;
  for (let at = 0; at < hot.length; at += PAGE) hot[at] = round;
  flushTlb();
}, 2);

/**
 * Makes the kernel flush this process's TLB entries. A large TLB holds all 64 MiB of small pages, and the processor marks a
 * page as accessed only in a page walk: on an idle machine a whole second may pass without one.
 */
function flushTlb(): void {
  flushed.resize(MIB);
  new Uint8Array(flushed).fill(round);
  flushed.resize(0);
}

/**
 * Our two mappings, in address order. V8 scatters its own heap over the whole address space: three ranges would be
 * terabytes large, and samples would miss both mappings.
 */
function mappingsOf(...sizes: number[]): AddressRange[] {
  return readMappings(process.pid)
    .filter(({ permissions, name }) => permissions === 'rw-p' && name === '')
    .map(({ startPage, endPage }) => ({ startAddress: startPage * PAGE, endAddress: endPage * PAGE }))
    .filter(({ startAddress, endAddress }) =>
      sizes.some((size) => endAddress - startAddress >= size && endAddress - startAddress < size + MIB),
    );
}
