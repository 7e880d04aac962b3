import type { ProcessRequest } from '../processes/process-request.js';
import type { SyntheticSpec } from './synthetic/spec.js';

/** What to watch: a process, or an address space that exists only in memory. */
export type TargetRequest = ProcessRequest | { readonly synthetic: SyntheticSpec };
