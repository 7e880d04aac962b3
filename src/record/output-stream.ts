import { createWriteStream, fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/** How often a pipe is looked at, and after how many looks without progress its reader is taken to have stopped. */
const LOOK_MS = 50;
const LOOKS = 8;

/** Pipes and sockets that are written to, besides standard output. */
const pipes = new Set<Socket>();

/**
 * A stream to a descriptor. Ending it closes the descriptor, unless it is standard output.
 *
 * @param isFlushed a file is on the disk when the stream has finished
 */
export function streamTo(fd: number, isFlushed: boolean): Writable {
  if (fd === 1) return process.stdout;
  const stat = fstatSync(fd);
  if (!stat.isFIFO() && !stat.isSocket()) return createWriteStream('', { fd, flush: isFlushed });
  // Not a stream of the file system: it would block a thread for as long as the pipe is full, and the exit with it.
  const pipe = new Socket({ fd, readable: false, writable: true });
  pipes.add(pipe);
  return pipe.once('close', () => pipes.delete(pipe));
}

/**
 * Once the end has been asked for: fails each pipe whose reader takes nothing while there is something to take. A reader
 * that is only slow gets everything.
 */
export function failStalledPipes(): void {
  const { stdout } = process;
  for (const pipe of stdout instanceof Socket ? [stdout, ...pipes] : pipes) {
    let taken = -1;
    let looks = 0;
    const timer = setInterval(() => {
      const nowTaken = pipe.bytesWritten - pipe.writableLength;
      if (pipe.writableLength === 0 || nowTaken !== taken) looks = 0;
      taken = nowTaken;
      // Looks are counted, not time: after a pause of this thread, what was taken meanwhile shows by the next look.
      if (++looks <= LOOKS) return;
      clearInterval(timer);
      pipe.destroy(Object.assign(new Error('the reader takes nothing'), { code: 'STALLED' }));
    }, LOOK_MS);
    timer.unref();
    pipe.once('close', () => clearInterval(timer));
  }
}
