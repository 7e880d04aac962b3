import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { PARTS } from './parts.js';
import { Report } from './report.js';
import { soak } from './soak/main.js';

// `npm run bench -- PART...` prints the figures of the README, and those of docs/cost.md and docs/scale.md that are not
// the lab's. Without a part it runs all, and keeps what they print in bench/RESULTS.md. `npm run bench -- soak [OPTION...]`
// takes an hour and is not one of them.

const words = process.argv.slice(2);
const isSoak = words[0] === 'soak';
const unknown = isSoak ? undefined : words.find((word) => !(word in PARTS));
if (unknown !== undefined) {
  console.error(
    `bench: unknown part '${unknown}'; choose from ${Object.keys(PARTS).join(', ')}, or soak alone`,
  );
  process.exit(2);
}
const report = new Report();
report.add('# What `npm run bench` printed');
report.add(
  `${new Date().toISOString().slice(0, 10)}, commit ${commit()}, Linux ${release()}, Node ${process.version}, ` +
    `${cpus().length} x ${cpus()[0]?.model}`,
);
if (isSoak) {
  report.add('## soak');
  process.exit((await soak(report, words.slice(1))) ? 0 : 1);
}
for (const [name, part] of Object.entries(PARTS)) {
  if (words.length > 0 && !words.includes(name)) continue;
  report.add(`## ${name}`);
  await part(report);
}
if (words.length === 0) {
  writeFileSync(fileURLToPath(new URL('../../bench/RESULTS.md', import.meta.url)), report.text);
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
