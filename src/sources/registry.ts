import { PagepulseError } from '../core/errors.js';
import { integerIn, oneOf, type Rule, type RulesOf } from '../core/rules.js';
import type { CheckName } from '../core/target.js';
import { pageSize } from '../kernel/page-size.js';
import { idlePageSupport, procSupport, referencedSupport, type Support } from '../kernel/support.js';
import { IdleFiles, IdlePageCheck } from './idle-page/check.js';
import { ProcessSpace } from './process-space.js';
import { ReferencedSource } from './referenced.js';
import type { CoverName, SourceDescriptor, TargetRequest } from './source.js';
import { SyntheticCheck } from './synthetic/check.js';

const idlePage: SourceDescriptor = {
  name: 'idle-page',
  delivers: 'pages',
  watches: 'processes',
  costFollows: 'regions',
  clears: 'idle bitmap',
  disturbsReclaim: false,
  resolution: 'page',
  supported: idlePageSupport,
  open() {
    let files: IdleFiles | undefined;
    return (request, _, cover) => {
      const process = processOf(request, 'idle-page', cover);
      files ??= new IdleFiles();
      return new IdlePageCheck(process, files);
    };
  },
};

const referenced: SourceDescriptor = {
  name: 'referenced',
  delivers: 'regions',
  watches: 'processes',
  costFollows: 'resident memory',
  clears: 'clear_refs',
  disturbsReclaim: true,
  resolution: 'mapping',
  defaultAggrUs: 1_000_000,
  supported: referencedSupport,
  // Its regions are mappings, whatever the cover.
  open: () => (request) => new ReferencedSource(processOf(request, 'referenced', 'three-ranges')),
};

const synthetic: SourceDescriptor = {
  name: 'synthetic',
  delivers: 'pages',
  watches: 'spaces',
  costFollows: 'nothing',
  clears: 'nothing',
  disturbsReclaim: false,
  resolution: 'page',
  supported: () => ({ ok: true }),
  open: () => (request, random, cover) => {
    if (!('synthetic' in request)) throw mismatch(request, 'synthetic');
    return new SyntheticCheck(request.synthetic, random, pageSize(), cover);
  },
};

export const SOURCES: Readonly<Record<CheckName, SourceDescriptor>> = {
  'idle-page': idlePage,
  referenced,
  synthetic,
};

/** The sources of processes, best first. */
export const BY_QUALITY = ['idle-page', 'referenced'] as const;

function processOf(request: TargetRequest, check: CheckName, cover: CoverName): ProcessSpace {
  if (!('pid' in request)) throw mismatch(request, check);
  return new ProcessSpace(request, cover);
}

function mismatch(request: TargetRequest, check: CheckName): PagepulseError {
  const target =
    'pid' in request ? 'a process' : 'synthetic' in request ? 'a synthetic target' : 'a space of your own';
  return new PagepulseError(
    'ATTRS',
    `${target} cannot be watched with the ${check} check; choose another check or leave it out`,
  );
}

/** The name of a source that comes with Pagepulse; undefined for others, such as those of some records. */
export function knownSource(name: string): SourceDescriptor | undefined {
  return Object.hasOwn(SOURCES, name) ? SOURCES[name as CheckName] : undefined;
}

const TEXT: Rule = {
  is: (given) => typeof given === 'string' && /^[\w-]{1,40}$/.test(given) && !knownSource(given),
  wanted: 'a name of at most 40 letters, digits and dashes that no other check has',
};
const YES_OR_NO: Rule = { is: (given) => typeof given === 'boolean', wanted: 'true or false' };
const FUNCTION: Rule = { is: (given) => typeof given === 'function', wanted: 'a function' };
const INTERVAL = integerIn(1, Number.MAX_SAFE_INTEGER, '');

const MEMBERS: RulesOf<SourceDescriptor> = {
  name: TEXT,
  delivers: oneOf(['pages', 'regions']),
  watches: oneOf(['processes', 'spaces']),
  costFollows: oneOf(['regions', 'resident memory', 'nothing']),
  clears: oneOf(['idle bitmap', 'clear_refs', 'nothing']),
  disturbsReclaim: YES_OR_NO,
  resolution: oneOf(['page', 'mapping']),
  defaultAggrUs: {
    is: (given) => given === undefined || INTERVAL.is(given),
    wanted: 'a positive integer, in microseconds',
  },
  supported: FUNCTION,
  open: FUNCTION,
};

/**
 * Loads a source into this thread.
 *
 * @param from the name of one that comes with Pagepulse, or the URL of a module that has one as its default export
 * @throws PagepulseError `ATTRS` if the module cannot be loaded, or has none
 */
export async function loadSource(from: string): Promise<SourceDescriptor> {
  const known = knownSource(from);
  if (known) return known;
  let loaded: { readonly default?: unknown };
  try {
    loaded = await import(from);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PagepulseError('ATTRS', `check: ${from} cannot be loaded: ${reason}`, { cause: error });
  }
  const source = Object(loaded.default);
  for (const [member, { is, wanted }] of Object.entries<Rule>(MEMBERS)) {
    if (is(source[member])) continue;
    throw new PagepulseError(
      'ATTRS',
      `check: the default export of ${from} is not a source: its ${member} must be ${wanted}`,
    );
  }
  return source;
}

/** @throws PagepulseError `UNSUPPORTED` */
export function requireSupported(source: SourceDescriptor): void {
  if (source.watches === 'processes') requireProc();
  const support = source.supported();
  if (!support.ok) throw new PagepulseError('UNSUPPORTED', unusable(source.name, support));
}

/**
 * The check to use: the requested one, or with `auto` the best one that works.
 *
 * @throws PagepulseError `UNSUPPORTED`
 */
export function chooseCheck(asked: CheckName | 'auto'): CheckName {
  if (asked === 'auto' || SOURCES[asked].watches === 'processes') requireProc();
  const candidates: readonly CheckName[] = asked === 'auto' ? BY_QUALITY : [asked];
  const reasons: string[] = [];
  for (const check of candidates) {
    const support = SOURCES[check].supported();
    if (support.ok) return check;
    reasons.push(unusable(check, support));
  }
  if (asked === 'auto') throw new PagepulseError('UNSUPPORTED', reasons[0]!);
  const other = BY_QUALITY.find((check) => SOURCES[check].supported().ok);
  const hint = other ? `, or use the ${other} check` : '';
  throw new PagepulseError('UNSUPPORTED', reasons[0]! + hint);
}

function requireProc(): void {
  const proc = procSupport();
  if (!proc.ok) {
    throw new PagepulseError('UNSUPPORTED', `cannot watch processes: ${proc.reason}; ${proc.help}`);
  }
}

function unusable(name: string, { reason, help }: Exclude<Support, { ok: true }>): string {
  return `the ${name} check cannot be used: ${reason}; ${help}`;
}
