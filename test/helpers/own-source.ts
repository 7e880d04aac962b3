import {
  type AddressSpace,
  Answer,
  NOT_ASKED,
  type PageCheck,
  PagepulseError,
  type Samples,
  type SourceDescriptor,
  TargetStatus,
} from '../../src/index.js';

/** What a target of this source is: its first `hot` of `pages` pages are accessed all the time. */
export interface Space {
  readonly pages: number;
  readonly hot: number;
}

/** As a program that uses the library would write one. */
class FirstPages implements PageCheck {
  readonly delivers = 'pages';
  readonly repeatsPages = false;
  readonly target = { comm: 'first pages' };

  constructor(readonly space: Space) {}

  readSpace(): AddressSpace {
    return { status: TargetStatus.OK, ranges: Float64Array.of(0, this.space.pages), residentBytes: 0 };
  }

  mark(): boolean {
    return true;
  }

  answer({ pages, answers, count }: Samples): void {
    for (let i = 0; i < count; i++) {
      const page = pages[i]!;
      if (page !== NOT_ASKED) answers[i] = page < this.space.hot ? Answer.HIT : Answer.MISS;
    }
  }

  close(): void {}
}

const source: SourceDescriptor = {
  name: 'first-pages',
  delivers: 'pages',
  watches: 'spaces',
  costFollows: 'regions',
  clears: 'nothing',
  disturbsReclaim: false,
  resolution: 'page',
  supported: () => ({ ok: true }),
  open: () => (request) => {
    if (!('space' in request)) throw new PagepulseError('ATTRS', 'first-pages watches only spaces');
    return new FirstPages(request.space as Space);
  },
};

export default source;
