const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Does something before a signal ends the program as if nobody had listened; the function returned stops that. */
export function beforeSignalEnds(act: () => void): () => void {
  const listener = (signal: NodeJS.Signals) => {
    stop();
    act();
    process.kill(process.pid, signal);
  };
  const stop = () => {
    for (const signal of SIGNALS) process.off(signal, listener);
  };
  for (const signal of SIGNALS) process.once(signal, listener);
  return stop;
}
