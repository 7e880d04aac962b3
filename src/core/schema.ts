import * as v from 'valibot';
import { PagepulseError } from './errors.js';
import type { Rule, RulesOf } from './rules.js';

/** Which values a T accepts. Only the main thread loads schemas, because that takes some milliseconds. */
export type Schema<T> = v.GenericSchema<T>;

/** A schema for each member, `optional` if it may be missing. The compiler rejects a set that does not match T. */
type Members<T> = {
  readonly [K in keyof T]-?: Record<never, never> extends Pick<T, K>
    ? v.OptionalSchema<Schema<Exclude<T[K], undefined>>, undefined>
    : Schema<T[K]>;
};

export function value<T>({ is, wanted }: Rule): Schema<T> {
  return v.custom<T>(is, wanted);
}

export function optional<T>(schema: Schema<T>): v.OptionalSchema<Schema<T>, undefined> {
  return v.optional(schema);
}

export const flag: Schema<boolean> = v.boolean('true or false');

/** An object with these members and no others: a misspelled option must not become a default. */
export function object<T extends object>(members: Members<T>): Schema<T> {
  const names = Object.keys(members);
  const entries = v.strictObject(members as v.ObjectEntries, names.join(', ')) as unknown as Schema<T>;
  return v.pipe(v.custom<T>(isObject, `an object with ${names.join(', ')}`), entries);
}

/** An object whose members may all be missing. */
export function partial<T extends object>(rules: RulesOf<T>): Schema<Partial<T>> {
  const entries = Object.entries<Rule>(rules).map(([name, rule]) => [name, v.optional(value(rule))]);
  return object(Object.fromEntries(entries) as Members<Partial<T>>);
}

export function list<T>(item: Schema<T>, wanted: string): Schema<readonly T[]> {
  return v.array(item, wanted) as unknown as Schema<readonly T[]>;
}

/** One of two schemas, depending on the value. */
export function either<A, B>(isFirst: (input: unknown) => boolean, first: Schema<A>, second: Schema<B>) {
  return v.lazy((input): Schema<A | B> => (isFirst(input) ? first : second) as Schema<A | B>);
}

/** @param check compares members with each other; throws a PagepulseError if they contradict */
export function together<T>(schema: Schema<T>, check: (value: T) => unknown): Schema<T> {
  return v.pipe(
    schema,
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      try {
        check(dataset.value);
      } catch (error) {
        if (!(error instanceof PagepulseError)) throw error;
        addIssue({ message: error.message });
      }
    }),
  );
}

/** Whether the input is a plain object. An array, a Map or a missing `await` would otherwise pass as one without members. */
export function isObject(input: unknown): input is object {
  return typeof input === 'object' && Object.prototype.toString.call(input) === '[object Object]';
}

/**
 * A copy of the input with only the members of the schema, so it can be sent to a thread.
 *
 * @param name the input's name in messages; members of `options` are named without it
 * @throws PagepulseError `ATTRS` that names the member, its allowed values and the given one
 */
export function checked<T>(schema: Schema<T>, input: unknown, name: string): T {
  let result: v.SafeParseResult<Schema<T>>;
  try {
    result = v.safeParse(schema, input, { abortEarly: true, abortPipeEarly: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `${unreadable(input, name) ?? name} could not be read: ${reason}; give plain values`;
    throw new PagepulseError('ATTRS', message, { cause: error });
  }
  if (result.success) return result.output;
  const { path, message, type, expected, input: found } = result.issues[0];
  const where = (path ?? []).reduce((parent, { key }) => memberOf(parent, key), name);
  let problem = ` must be ${message} (got ${described(found)})`;
  if (type === 'raw_check') problem = `: ${message}`;
  else if (expected === 'never') problem = ` is not an option; choose from: ${message}`;
  else if (found === undefined && path) problem = ' is required';
  throw new PagepulseError('ATTRS', where + problem);
}

function memberOf(parent: string, key: unknown): string {
  if (typeof key === 'number') return `${parent}[${key}]`;
  return parent === 'options' ? String(key) : `${parent}.${String(key)}`;
}

/** Never runs code of the value, such as toString. */
function described(input: unknown): string {
  if (Array.isArray(input)) return 'an array';
  switch (typeof input) {
    case 'string':
      return input.length > 40 ? `${JSON.stringify(input.slice(0, 40))}...` : JSON.stringify(input);
    case 'object':
      return input === null ? 'null' : 'an object';
    case 'function':
      return 'a function';
    case 'bigint':
      return `${input}n`;
    default:
      return String(input);
  }
}

/** Enough for options: targets, synthetic, phases, accesses, and their members. */
const MAX_DEPTH = 8;

/** The name of the member whose getter throws. */
function unreadable(input: unknown, name: string, depth = 0): string | undefined {
  if (typeof input !== 'object' || input === null || depth > MAX_DEPTH) return undefined;
  let member = name;
  try {
    for (const key in input) {
      member = memberOf(name, Array.isArray(input) ? Number(key) : key);
      const found = unreadable((input as Record<string, unknown>)[key], member, depth + 1);
      if (found) return found;
    }
  } catch {
    return member;
  }
}
