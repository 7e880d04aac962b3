/**
 * Which values an option accepts. Rules stand next to the interface they belong to. The schemas of options are made of them
 * (schema.ts), and threads, which do not load schemas, check by them alone.
 */
export interface Rule {
  readonly is: (value: unknown) => boolean;
  /** What it must be: messages say "NAME must be" before it. */
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

/** The first rule that is broken, as a message; undefined if there is none. Missing members are ignored. */
export function brokenRule<T extends object>(values: T, rules: RulesOf<T>): string | undefined {
  for (const name of Object.keys(rules) as (keyof T & string)[]) {
    const value = values[name];
    const { is, wanted } = rules[name];
    if (value !== undefined && !is(value)) return `${name} must be ${wanted} (got ${String(value)})`;
  }
}
