/**
 * Recognises what people find in place of a model's file: the page that a server answered with, or the note that
 * Git LFS leaves. Size and hash already say that it is wrong; this says what went wrong. Pure.
 */

/** Bytes from the beginning of a file that impostorOf needs. */
export const IMPOSTOR_BYTES = 200;

/** What the file is instead and what to do, as a sentence; an empty text where it is nothing known. */
export function impostorOf(beginning: string): string {
  const start = beginning
    .replace(/^\ufeff/, '')
    .trimStart()
    .toLowerCase();
  if (/^<(!doctype|html|head|body|\?xml)/.test(start)) {
    return 'It is a web page (HTML): the server answered with a page, perhaps to sign in, instead of the file. Fetch the file itself.';
  }
  if (start.startsWith('version https://git-lfs')) {
    return 'It is the note that Git LFS keeps in place of a file. Run "git lfs pull" there.';
  }
  return '';
}
