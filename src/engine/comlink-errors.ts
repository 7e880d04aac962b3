import * as Comlink from 'comlink';
import { type ErrorCode, PagepulseError, systemCode } from '../core/errors.js';

/** How an error of ours crosses from one thread to another: Comlink itself would keep its message, and lose its code. */
export interface WireError {
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

/** Anything that is not ours is `INTERNAL`: it fails the target it befell, not the thread. */
export function toWire(error: unknown): WireError {
  const { code, message, cause } = error instanceof PagepulseError ? error : internal(error);
  return { pagepulse: { code, message, cause: cause instanceof Error ? cause.message : undefined } };
}

function internal(error: unknown): PagepulseError {
  const message = error instanceof Error ? error.message : String(error);
  const advice = systemCode(error) === undefined ? '; this is a fault in Pagepulse: please report it' : '';
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
