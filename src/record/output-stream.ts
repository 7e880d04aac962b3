import { createWriteStream, fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/** How often a pipe is polled, and after how many polls without progress its reader counts as stalled. */
const POLL_MS = 50;
const MAX_POLLS = 8;

/** Open pipes and sockets other than standard output. */
const pipes = new Set<Socket>();

/**
 * A stream to a descriptor. Ending it closes the descriptor, unless it is standard output.
 *
 * @param isFlushed whether a file must be on the disk when the stream finishes
 */
export function streamTo(fd: number, isFlushed: boolean): Writable {
  if (fd === 1) return process.stdout;
  const stat = fstatSync(fd);
  if (!stat.isFIFO() && !stat.isSocket()) return createWriteStream('', { fd, flush: isFlushed });
  // Not a file stream: it would block a thread while the pipe is full, and with it the exit.
  const pipe = new Socket({ fd, readable: false, writable: true });
  pipes.add(pipe);
  return pipe.once('close', () => pipes.delete(pipe));
}

/**
 * Called once the program should end: fails each pipe whose reader takes nothing although data is waiting. A slow reader
 * still gets everything.
 */
export function failStalledPipes(): void {
  const { stdout } = process;
  for (const pipe of stdout instanceof Socket ? [stdout, ...pipes] : pipes) {
    let taken = -1;
    let polls = 0;
    const timer = setInterval(() => {
      const nowTaken = pipe.bytesWritten - pipe.writableLength;
      if (pipe.writableLength === 0 || nowTaken !== taken) polls = 0;
      taken = nowTaken;
      // Counts polls, not time: after this thread was suspended, progress shows at the next poll.
      if (++polls <= MAX_POLLS) return;
      clearInterval(timer);
      pipe.destroy(Object.assign(new Error('the reader has stalled'), { code: 'STALLED' }));
    }, POLL_MS);
    timer.unref();
    pipe.once('close', () => clearInterval(timer));
  }
}
