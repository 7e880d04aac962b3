import { markdown } from '../../../bench/report.js';
import type { Guest } from '../machine/guest.js';

/** What marking a page and reading its word cost in C, by idle neighbours and by processes that map it. */
export async function words(guest: Guest): Promise<void> {
  const rows = (await guest.shell('words', 60))
    .trim()
    .split('\n')
    .map((line) => {
      const { idle, processes, markUs, readUs } = JSON.parse(line) as Record<string, number>;
      return [String(idle), String(processes), `${markUs} us`, `${readUs} us`];
    });
  console.log(markdown(['idle frames in the word', 'processes that map the page', 'mark', 'read'], rows));
}
