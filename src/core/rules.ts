/**
 * Which values an option accepts. Rules stand next to the interface that they belong to. The main thread builds schemas from
 * them (schema.ts); other threads check with the rules alone, because loading the schema library takes milliseconds.
 */
export interface Rule {
  readonly is: (value: unknown) => boolean;
  /** Follows "NAME must be" in messages. */
  readonly wanted: string;
}

/** A rule for every member of T. */
export type RulesOf<T> = { readonly [K in keyof T]-?: Rule };

/** @param most Infinity allows Infinity */
export function numberIn(least: number, most: number, wanted: string): Rule {
  return { is: (value) => typeof value === 'number' && value >= least && value <= most, wanted };
}

export function integerIn(least: number, most: number, wanted: string): Rule {
  return {
    is: (value) => Number.isInteger(value) && least <= Number(value) && Number(value) <= most,
    wanted,
  };
}

export function oneOf(choices: readonly string[]): Rule {
  return { is: (value) => choices.includes(value as string), wanted: choices.join(' or ') };
}

/** A message for the first broken rule; undefined if the values keep them all. Missing members are ignored. */
export function brokenRule<T extends object>(values: T, rules: RulesOf<T>): string | undefined {
  for (const name of Object.keys(rules) as (keyof T & string)[]) {
    const value = values[name];
    const { is, wanted } = rules[name];
    if (value !== undefined && !is(value)) return `${name} must be ${wanted} (got ${String(value)})`;
  }
}
