import * as Comlink from 'comlink';
import { type ErrorCode, PagepulseError, systemCode } from '../core/errors.js';

/** The form in which a PagepulseError crosses threads. Comlink alone would keep its message but lose its code. */
export interface WireError {
  readonly pagepulse: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly cause: string | undefined;
  };
}

/**
 * Makes Comlink, in the calling thread, carry PagepulseErrors with code and cause. All other errors keep Comlink's handling,
 * because the program may use Comlink as well.
 */
export function carryErrors(): void {
  const original = Comlink.transferHandlers.get('throw');
  if (!original || original.deserialize === deserialize) return;
  fallback = original;
  Comlink.transferHandlers.set('throw', { canHandle: original.canHandle, serialize, deserialize });
}

let fallback: Comlink.TransferHandler<unknown, unknown>;

/** Other errors become `INTERNAL`: they fail the affected target, not the thread. */
export function toWire(error: unknown): WireError {
  const { code, message, cause } = error instanceof PagepulseError ? error : internal(error);
  return { pagepulse: { code, message, cause: cause instanceof Error ? cause.message : undefined } };
}

function internal(error: unknown): PagepulseError {
  const message = error instanceof Error ? error.message : String(error);
  const advice = systemCode(error) === undefined ? '; this is a bug in Pagepulse, please report it' : '';
  return new PagepulseError('INTERNAL', message + advice, { cause: error });
}

export function isWire(value: unknown): value is WireError {
  return typeof value === 'object' && value !== null && 'pagepulse' in value;
}

export function fromWire({ pagepulse: { code, message, cause } }: WireError): PagepulseError {
  return new PagepulseError(code, message, cause === undefined ? undefined : { cause: new Error(cause) });
}

function serialize(thrown: unknown): ReturnType<typeof fallback.serialize> {
  const error = (thrown as { value: unknown }).value;
  return error instanceof PagepulseError ? [toWire(error), []] : fallback.serialize(thrown);
}

function deserialize(wire: unknown): unknown {
  if (isWire(wire)) throw fromWire(wire);
  return fallback.deserialize(wire);
}
