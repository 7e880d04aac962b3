import { closeSync, existsSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import { outputError } from '../../record/output-error.js';
import { UsageError } from '../failure.js';

export const PICTURE_FORMATS = ['svg', 'png', 'html'] as const;
export type PictureFormat = (typeof PICTURE_FORMATS)[number];

/** Where a picture goes. */
export interface PictureFile {
  readonly format: PictureFormat;
  /** @throws PagepulseError `OUTPUT`; nothing is left behind then */
  write(picture: string | Uint8Array): void;
}

/**
 * A file of its owner alone, as records are: it tells the addresses of a process. Whether it can be written is known before
 * anything is read in vain; it comes to be when it is whole, so that what is stopped leaves none.
 *
 * @throws UsageError for a name that says no format, PagepulseError `OUTPUT`
 */
export function pictureFile(path: string, force: boolean): PictureFile {
  const format = formatOf(path);
  const isOld = force && existsSync(path);
  const flag = isOld ? 'r+' : 'wx';
  const attempt = (act: () => void) => {
    try {
      act();
    } catch (error) {
      throw outputError(error, path, { what: 'picture', isKept: false });
    }
  };
  attempt(() => {
    closeSync(openSync(path, flag, 0o600));
    if (!isOld) unlinkSync(path);
  });
  const write = (picture: string | Uint8Array) => {
    const fd = openSync(path, isOld ? 'w' : 'wx', 0o600);
    try {
      writeFileSync(fd, picture);
    } catch (error) {
      if (!isOld) unlinkSync(path);
      throw error;
    } finally {
      closeSync(fd);
    }
  };
  return { format, write: (picture) => attempt(() => write(picture)) };
}

function formatOf(path: string): PictureFormat {
  const format = PICTURE_FORMATS.find((format) => extname(path).toLowerCase() === `.${format}`);
  if (format) return format;
  throw new UsageError(
    `'${path}' says no format that a heat map can have; give a name that ends in .svg, .png or .html`,
  );
}
