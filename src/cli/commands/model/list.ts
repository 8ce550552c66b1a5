/** `twinrank model list`: the bundles at hand, by folder. */
import { join } from 'node:path';
import { readManifest } from '../../../model/bundle.js';
import { listBundles } from '../../../model/default-bundle.js';
import { cacheFolder } from '../../cache-folder.js';
import type { Command } from '../../command.js';
import { flag, text, type OptionTable } from '../../options.js';
import { textTable } from '../../table.js';

const OPTIONS = {
  models: {
    flag: 'models',
    env: 'TWINRANK_MODELS',
    help: 'A folder whose folders are bundles, listed besides those that come with twinrank and the pulled ones.',
    parse: text,
  },
  cache: {
    flag: 'cache',
    env: 'TWINRANK_CACHE',
    help: 'Folder of what twinrank keeps; pulled bundles are in "models" in it. Left out: the user\'s cache folder.',
    parse: text,
  },
  json: { flag: 'json', env: null, help: 'Print JSON lines.', default: 'false', boolean: true, parse: flag },
} satisfies OptionTable;

interface Listed {
  readonly folder: string;
  readonly name?: string;
  readonly version?: string;
  readonly dimensions?: number;
  readonly fingerprint?: string;
  readonly bytes?: number;
  /** Why it cannot be used. */
  readonly problem?: string;
}

export const modelListCommand: Command<typeof OPTIONS> = {
  usage: 'list',
  summary: 'List the bundles at hand.',
  options: OPTIONS,
  run: async (values, _positionals, io) => {
    const folders = [
      ...(await listBundles()),
      ...(values.models === undefined ? [] : await listBundles(values.models)),
      ...(await listBundles(join(values.cache ?? cacheFolder(), 'models'))),
    ];
    const listed = await Promise.all([...new Set(folders)].map(listedBundle));
    if (values.json) {
      for (const bundle of listed) io.stdout.write(`${JSON.stringify(bundle)}\n`);
      return 0;
    }
    const rows = listed.map(({ name, version, dimensions, fingerprint, bytes, folder }) => [
      name === undefined ? 'unreadable' : `${name} ${version ?? ''}`,
      String(dimensions ?? ''),
      fingerprint ?? '',
      bytes === undefined ? '' : (bytes / 1e6).toFixed(1),
      folder,
    ]);
    io.stdout.write(
      `${textTable(['Bundle', 'Dimensions', 'Fingerprint', 'MB', 'Folder'], rows, { rightAligned: [1, 3] })}\n`,
    );
    for (const { problem } of listed) if (problem !== undefined) io.stderr.write(`${problem}\n`);
    return 0;
  },
};

async function listedBundle(folder: string): Promise<Listed> {
  try {
    const { name, version, dimensions, fingerprint, files } = await readManifest(folder);
    const bytes = Object.values(files).reduce((sum, file) => sum + (file?.bytes ?? 0), 0);
    return { folder, name, version, dimensions, fingerprint, bytes };
  } catch (error) {
    return { folder, problem: error instanceof Error ? error.message : String(error) };
  }
}
