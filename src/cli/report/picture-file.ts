import { closeSync, constants, existsSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import { outputError } from '../../record/output-error.js';
import { UsageError } from '../failure.js';

export const PICTURE_FORMATS = ['svg', 'png', 'html'] as const;
export type PictureFormat = (typeof PICTURE_FORMATS)[number];

/** A file for a picture, opened before anything is read in vain. */
export interface PictureFile {
  readonly format: PictureFormat;
  /** @throws PagepulseError `OUTPUT` */
  write(picture: string | Uint8Array): void;
  /** Nothing is left behind. */
  discard(): void;
}

/**
 * Opens a file of its owner alone, as records are: it tells the addresses of a process.
 *
 * @throws UsageError for a name that says no format, PagepulseError `OUTPUT`
 */
export function openPicture(path: string, force: boolean): PictureFile {
  const format = formatOf(path);
  const { O_WRONLY, O_CREAT, O_EXCL } = constants;
  const isOld = force && existsSync(path);
  let fd: number;
  try {
    // What is overwritten keeps its content until there is other.
    fd = openSync(path, O_WRONLY | O_CREAT | (force ? 0 : O_EXCL), 0o600);
  } catch (error) {
    throw outputError(error, path, { what: 'picture' });
  }
  closeSync(fd);
  return {
    format,
    write: (picture) => {
      try {
        writeFileSync(path, picture);
      } catch (error) {
        throw outputError(error, path, { what: 'picture' });
      }
    },
    discard: () => {
      if (!isOld) unlinkSync(path);
    },
  };
}

function formatOf(path: string): PictureFormat {
  const format = PICTURE_FORMATS.find((format) => extname(path).toLowerCase() === `.${format}`);
  if (format) return format;
  throw new UsageError(
    `'${path}' says no format that a heat map can have; give a name that ends in .svg, .png or .html`,
  );
}
