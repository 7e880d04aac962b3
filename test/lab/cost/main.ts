import { cpus, release } from 'node:os';
import { Guest } from '../machine/guest.js';
import { PARTS } from './parts.js';

// `npm run lab:cost -- PART...`: what watching costs on a kernel with the idle bitmap, as tables for docs/cost.md. All
// parts, or those named.

const words = process.argv.slice(2);
const unknown = words.find((word) => !(word in PARTS));
if (unknown !== undefined) {
  console.error(`lab:cost: there is no part ${unknown}; give some of ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}
await Guest.during(async (guest) => {
  const kernel = (await guest.shell('uname -r')).trim();
  console.log(
    `${new Date().toISOString().slice(0, 10)}, Linux ${kernel} in QEMU (software emulation, 2 processors)`,
  );
  console.log(`on Linux ${release()}, ${cpus()[0]?.model}, Node ${process.version}`);
  for (const [name, part] of Object.entries(PARTS)) {
    if (words.length > 0 && !words.includes(name)) continue;
    console.log(`\n## ${name}\n`);
    await part(guest);
  }
});
