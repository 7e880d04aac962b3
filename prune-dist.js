import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Part of `npm run build`: removes from dist what the compiler wrote for sources that are gone. It runs after the
// compiler and leaves everything else alone, so programs that run from dist meanwhile lose no file they need.

const ROOT = fileURLToPath(new URL('.', import.meta.url));
const COMPILED = /\.(js|js\.map|d\.ts)$/;

/** @returns whether the folder is gone, because nothing in it was to stay */
function prune(folder) {
  const path = join(ROOT, 'dist', folder);
  const entries = readdirSync(path, { withFileTypes: true });
  const left = entries.filter((entry) => {
    const inside = join(folder, entry.name);
    if (entry.isDirectory()) return !prune(inside);
    if (!COMPILED.test(inside) || existsSync(join(ROOT, inside.replace(COMPILED, '.ts')))) return true;
    rmSync(join(ROOT, 'dist', inside));
    return false;
  });
  if (left.length > 0) return false;
  rmdirSync(path);
  return true;
}

prune('');
