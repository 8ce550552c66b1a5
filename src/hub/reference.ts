/** Names on the Hub: which repository, which revision of it, and the addresses and folder names made of them. */

/** A repository at a revision, as the user names it. */
export interface Reference {
  /** `OWNER/NAME`, or `NAME` for the oldest repositories. */
  readonly repository: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
}

const DEFAULT_REVISION = 'main';
const COMMIT = /^[0-9a-f]{40}$/;

/** The parts of `REPO[@REV]`. Throws a plain Error that says what is expected. */
export function parseReference(text: string): Reference {
  const at = text.indexOf('@');
  const repository = at === -1 ? text : text.slice(0, at);
  const revision = at === -1 ? DEFAULT_REVISION : text.slice(at + 1);
  const names = repository.split('/');
  // The Hub allows no "--" and no ".." in names; the first stands for the slash in our folder names.
  const isName = (name: string): boolean => /^\w[\w.-]{0,95}$/.test(name) && !/--|\.\./.test(name);
  if (names.length > 2 || !names.every(isName))
    throw new Error(`expected a repository such as OWNER/NAME, got "${repository}".`);
  if (!/^\w[\w./-]{0,254}$/.test(revision) || revision.includes('..'))
    throw new Error(`expected a branch, a tag or a commit after the "@", got "${revision}".`);
  return { repository, revision };
}

/** True for a whole commit hash, which means the same files for ever. */
export function isCommit(revision: string): boolean {
  return COMMIT.test(revision);
}

/** The folder name of a repository. */
export function folderName(repository: string): string {
  return repository.replace('/', '--');
}

/** Path of the request for what a revision is; starts without a slash. */
export function revisionPath({ repository, revision }: Reference): string {
  return `api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;
}

/** Path of the request for one file of a commit; starts without a slash. */
export function filePath(repository: string, commit: string, path: string): string {
  return `${repository}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`;
}

/** True where a path that a server names stays within the folder that it is written to. */
export function isInsidePath(path: string): boolean {
  if (path === '' || path.startsWith('/') || /[\\\0]/.test(path) || /^[A-Za-z]:/.test(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
