/** Which files of a repository make its bundle, and what is said where there is none. Pure. */
import { TwinrankError } from '../errors.js';
import { filesOf } from '../model/bundle.js';
import { parseManifest } from '../model/manifest.js';
import type { WantedFile } from './download.js';
import type { Reference } from './reference.js';
import type { RepositoryFile, RevisionInfo } from './revision-info.js';

export const MANIFEST = 'manifest.json';

/** The manifest as a file to fetch. Throws `bad_bundle` where the repository has none. */
export function wantedManifest(info: RevisionInfo, reference: Reference): WantedFile {
  const file = info.files.find(({ path }) => path === MANIFEST);
  if (file === undefined) throw notABundle(info.files, reference);
  return wanted(file);
}

/** The files that a manifest names, each with every hash that is known of it. */
export function wantedFiles(manifest: unknown, info: RevisionInfo, reference: Reference): WantedFile[] {
  let files;
  try {
    files = filesOf(parseManifest(manifest));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw badRepository(
      reference,
      `its ${MANIFEST} is not usable: ${reason} Name another revision, or update twinrank.`,
      error,
    );
  }
  return files.map(({ path, sha256, bytes }) => {
    const listed = info.files.find((file) => file.path === path);
    if (listed === undefined)
      throw badRepository(reference, `its ${MANIFEST} names "${path}", which is not there.`);
    const isOther = listed.hash?.kind === 'sha256' && listed.hash.hex !== sha256;
    if (isOther || (listed.bytes !== null && listed.bytes !== bytes)) {
      throw badRepository(reference, `its "${path}" is another file than its ${MANIFEST} describes.`);
    }
    return { path, bytes, hashes: [...wanted(listed).hashes, { kind: 'sha256', hex: sha256 }] };
  });
}

/** The error of a repository whose bundle is defective. */
export function badRepository(
  { repository, revision }: Reference,
  what: string,
  cause?: unknown,
): TwinrankError {
  return new TwinrankError('bad_bundle', `${repository}@${revision}: ${what}`, { cause });
}

function wanted({ path, bytes, hash }: RepositoryFile): WantedFile {
  return { path, bytes, hashes: hash === null ? [] : [hash] };
}

/** What people recognise a repository by, and what each tells. */
const SIGNS: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/^(onnx\/)?[^/]*\.onnx$/, 'ONNX graphs'],
  [/^(onnx\/)?tokenizer\.json$/, 'a tokenizer'],
  [/^1_Pooling\/config\.json$/, 'a pooling configuration'],
  [/^([^/]*\.safetensors|pytorch_model[^/]*\.bin)$/, 'PyTorch weights'],
  [/\.pdparams$/, 'PaddlePaddle weights'],
];

function notABundle(files: readonly RepositoryFile[], reference: Reference): TwinrankError {
  const found = SIGNS.flatMap(([pattern, what]) => {
    const paths = files.map(({ path }) => path).filter((path) => pattern.test(path));
    const more = paths.length > 2 ? ` and ${paths.length - 2} more` : '';
    return paths.length === 0 ? [] : [`${what} (${paths.slice(0, 2).join(', ')}${more})`];
  });
  const holds =
    found.length === 0 ? 'and nothing that a bundle could be made of' : `but it holds ${found.join(', ')}`;
  const remedy =
    found.length === 0
      ? 'Check the name of the repository.'
      : 'That is an encoder without the head and the golden examples of a bundle: download it with its own tools, and make a bundle of it with the export script in scripts/model (see its README).';
  return badRepository(reference, `there is no ${MANIFEST}, ${holds}. ${remedy}`);
}
