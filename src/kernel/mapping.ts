/** One line of /proc/PID/maps. Pages are address / page size. */
export interface Mapping {
  readonly startPage: number;
  /** First page after the mapping. */
  readonly endPage: number;
  /** As the kernel prints them, `rw-p` for example. */
  readonly permissions: string;
  /** The file, `[heap]`, `[stack]`, `[anon: ...]`, or empty for unnamed anonymous memory. */
  readonly name: string;
}
