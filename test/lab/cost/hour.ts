import type { Guest } from '../machine/guest.js';

/** An hour by default on one process, most of whose memory is cold: what it costs, and its memory, minute by minute. */
export async function hour(guest: Guest): Promise<void> {
  const minutes = 61;
  const script = `pkill churn; LIFETIME_SECONDS=4000 hotcold 512 300 4 >/out/truth & pid=$!
until [ -s /out/truth ]; do sleep 0.1; done
node $DIST/bench/steady.js $pid ${minutes} | tee /out/hour`;
  console.log(await guest.shell(script, minutes * 60));
}
