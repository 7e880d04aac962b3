import { writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import { OutputFile } from '../../record/output-file.js';
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
  const create = () => OutputFile.create(path, { force, what: 'picture' });
  create().discard();
  const write = (picture: string | Uint8Array) => {
    const file = create();
    try {
      writeFileSync(file.fd, picture);
      file.finish();
    } catch (error) {
      file.discard();
      throw file.errorOf(error);
    }
  };
  return { format, write };
}

function formatOf(path: string): PictureFormat {
  const format = PICTURE_FORMATS.find((format) => extname(path).toLowerCase() === `.${format}`);
  if (format) return format;
  throw new UsageError(
    `'${path}' says no format that a heat map can have; give a name that ends in .svg, .png or .html`,
  );
}
