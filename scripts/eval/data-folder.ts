/** Where the collections are; they are not part of the project. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PROJECT_ROOT } from '../project-root.js';
import type { Collection } from './collections.js';

/** The folder of `--data` or TWINRANK_EVAL_DATA, or else the one beside the project. */
export function dataFolder(given: string | undefined): string {
  return resolve(given ?? process.env['TWINRANK_EVAL_DATA'] ?? join(PROJECT_ROOT, '..', 'shared', 'data'));
}

export function isThere({ folder, source, corpus }: Collection, data: string): boolean {
  return existsSync(join(data, folder, source ?? corpus));
}

export function missingWords(folder: string, data: string): string {
  return (
    `The collection ${folder} is not in ${data}, it is not measured. ` +
    'Give the data folder with --data or TWINRANK_EVAL_DATA.'
  );
}
