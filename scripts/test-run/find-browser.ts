/** The Chromium that drives the playground's tests: one that is installed, never one that is downloaded. */
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** Path of the browser: the variable CHROMIUM, else the first on PATH. Rejects with what to install. */
export async function findBrowser(): Promise<string> {
  const given = process.env['CHROMIUM'];
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates =
    given === undefined || given === ''
      ? NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))
      : [given];
  for (const candidate of candidates) {
    const isThere = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return candidate;
  }
  throw new Error(
    given === undefined || given === ''
      ? 'There is no Chromium. Install it ("apt-get install -y chromium fonts-noto-cjk" on Debian), or set CHROMIUM to the path of one.'
      : `CHROMIUM names ${given}, and there is no program to run.`,
  );
}
