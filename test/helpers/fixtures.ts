import { fileURLToPath } from 'node:url';

/** The path of a file in test/fixtures; the tests run from dist/test. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../test/fixtures/${name}`, import.meta.url));
}
