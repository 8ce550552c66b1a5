/** What the Hub says of a revision: its commit and its files. Pure: parsed JSON in, checked facts out. */
import { TwinrankError } from '../errors.js';
import { isCommit, isInsidePath } from './reference.js';

export type HashKind = 'sha256' | 'git-sha1';

/** What a file must hash to: SHA-256 of its bytes, or Git's SHA-1 of a blob. */
export interface Hash {
  readonly kind: HashKind;
  /** Lower case. */
  readonly hex: string;
}

/** A file of the repository; size and hash are null where the server does not tell them. */
export interface RepositoryFile {
  readonly path: string;
  readonly bytes: number | null;
  readonly hash: Hash | null;
}

export interface RevisionInfo {
  /** 40 hex digits. */
  readonly commit: string;
  readonly files: readonly RepositoryFile[];
}

type Json = Readonly<Record<string, unknown>>;

/** Checks an answer about a revision. Throws `upstream_answer`, naming the server. */
export function parseRevisionInfo(json: unknown, server: string): RevisionInfo {
  const { sha, siblings } = asObject(json);
  if (typeof sha !== 'string' || !isCommit(sha) || !Array.isArray(siblings)) {
    throw new TwinrankError(
      'upstream_answer',
      `${server} does not answer as a Hub does: its JSON has no "sha" and "siblings". Check --endpoint (HF_ENDPOINT).`,
    );
  }
  return { commit: sha, files: siblings.map((sibling) => parseFile(asObject(sibling), server)) };
}

function parseFile(sibling: Json, server: string): RepositoryFile {
  const path = sibling['rfilename'];
  if (typeof path !== 'string' || !isInsidePath(path)) {
    throw new TwinrankError(
      'upstream_answer',
      `${server} lists a file ${JSON.stringify(path)}, which would lie outside of the bundle's folder. Nothing was written; do not use this repository.`,
    );
  }
  const lfs = asObject(sibling['lfs']);
  const isLarge = typeof lfs['sha256'] === 'string';
  // The blob of a large file is the pointer to it, not its bytes.
  return {
    path,
    bytes: byteCount(isLarge ? (lfs['size'] ?? sibling['size']) : sibling['size']),
    hash: hashOfEtag(isLarge ? lfs['sha256'] : sibling['blobId']),
  };
}

/**
 * The hash that an ETag of the Hub is: SHA-256 of a large file, Git's SHA-1 of a small one. Null where it is another
 * kind of text.
 */
export function hashOfEtag(etag: unknown): Hash | null {
  if (typeof etag !== 'string') return null;
  const hex = etag.replace(/^W\//, '').replace(/^"(.*)"$/, '$1');
  if (/^[0-9a-f]{64}$/.test(hex)) return { kind: 'sha256', hex };
  return /^[0-9a-f]{40}$/.test(hex) ? { kind: 'git-sha1', hex } : null;
}

/** A count of bytes from JSON or a header; null where it is none. */
export function byteCount(value: unknown): number | null {
  const count = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : null;
}

function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}
