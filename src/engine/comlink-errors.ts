import * as Comlink from 'comlink';
import { type ErrorCode, PagepulseError } from '../core/errors.js';

/** How an error of ours crosses from one thread to another: Comlink itself would keep its message, and lose its code. */
interface WireError {
  readonly pagepulse: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly cause: string | undefined;
  };
}

/**
 * Teaches Comlink, in the thread that calls this, to carry PagepulseErrors with code and cause. What it does with all
 * other errors stays as it is, for it may be in use by others in this process.
 */
export function carryErrors(): void {
  const original = Comlink.transferHandlers.get('throw');
  if (!original || original.deserialize === deserialize) return;
  fallback = original;
  Comlink.transferHandlers.set('throw', { canHandle: original.canHandle, serialize, deserialize });
}

let fallback: Comlink.TransferHandler<unknown, unknown>;

function serialize(thrown: unknown): ReturnType<typeof fallback.serialize> {
  const error = (thrown as { value: unknown }).value;
  if (!(error instanceof PagepulseError)) return fallback.serialize(thrown);
  const { code, message, cause } = error;
  const wire: WireError = {
    pagepulse: { code, message, cause: cause instanceof Error ? cause.message : undefined },
  };
  return [wire, []];
}

function deserialize(wire: unknown): unknown {
  if (typeof wire !== 'object' || wire === null || !('pagepulse' in wire)) return fallback.deserialize(wire);
  const { code, message, cause } = (wire as WireError).pagepulse;
  throw new PagepulseError(code, message, cause === undefined ? undefined : { cause: new Error(cause) });
}
