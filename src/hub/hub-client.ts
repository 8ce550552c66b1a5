/** The two requests that a Hub is asked: what a revision is, and the bytes of one of its files. */
import { TwinrankError } from '../errors.js';
import { filePath, revisionPath, type Reference } from './reference.js';
import { pageError, refusalError, type Asked } from './refusals.js';
import { withRetries, type RetryDeps } from './retries.js';
import { byteCount, hashOfEtag, parseRevisionInfo, type Hash, type RevisionInfo } from './revision-info.js';
import { PassingError, type Answer, type Headers, type Transport } from './transport.js';

export interface HubOptions {
  /** Address of the Hub; a path is kept before ours. */
  readonly endpoint: URL;
  /** Sent to the endpoint's own origin alone. */
  readonly token: string | null;
}

/** A file whose bytes are about to come; status 200 or 206. */
export interface OpenFile {
  readonly answer: Answer;
  /** What the Hub itself says of the file, which is not what the host that it sends us on to says. */
  readonly hash: Hash | null;
  readonly bytes: number | null;
  /** Origin of who sends the bytes. */
  readonly server: string;
}

export interface Hub {
  /** Origin and path, without credentials. */
  readonly address: string;
  revision(reference: Reference, signal: AbortSignal): Promise<RevisionInfo>;
  /** One try; 416 is answered as it is. The commit may be any revision. */
  open(reference: Reference, path: string, headers: Headers, signal: AbortSignal): Promise<OpenFile>;
}

/** The hub's first answer and the last one, which are the same where it sends us nowhere. */
interface Followed {
  readonly first: Answer;
  readonly last: Answer;
  readonly lastUrl: URL;
}

const MAX_REDIRECTS = 5;
const MAX_INFO_BYTES = 32 * 1024 * 1024;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export function createHub(
  { endpoint, token }: HubOptions,
  deps: RetryDeps & { readonly transport: Transport; readonly now: () => number },
): Hub {
  const base = `${endpoint.origin}${endpoint.pathname.replace(/\/+$/, '')}`;
  const asked = ({ repository, revision }: Reference, file: string | null): Asked => {
    return { repository, revision, file, hasToken: token !== null };
  };

  const follow = async (path: string, headers: Headers, signal: AbortSignal): Promise<Followed> => {
    let url = new URL(`${base}/${path}`);
    let first: Answer | undefined;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const authorization: Headers =
        token !== null && url.origin === endpoint.origin ? { authorization: `Bearer ${token}` } : {};
      const answer = await deps.transport.get(
        url,
        // Bytes are counted and resumed as they lie on the server.
        { 'accept-encoding': 'identity', ...headers, ...authorization },
        signal,
      );
      // What the Hub says of a file may come with a redirect to the repository's newer name only.
      if (
        first === undefined ||
        (url.origin === endpoint.origin && first.header('x-linked-etag') === undefined)
      )
        first = answer;
      const location = answer.header('location');
      if (!REDIRECTS.has(answer.status) || location === undefined)
        return { first, last: answer, lastUrl: url };
      answer.discard();
      url = nextUrl(url, location);
    }
    throw new TwinrankError(
      'upstream_answer',
      `${base} redirects more than ${MAX_REDIRECTS} times. Check --endpoint (HF_ENDPOINT).`,
    );
  };

  const accepted = async (
    path: string,
    headers: Headers,
    what: Asked,
    signal: AbortSignal,
  ): Promise<Followed> => {
    const followed = await follow(path, headers, signal);
    const { status, header, discard } = followed.last;
    if ((status >= 200 && status < 300) || status === 416) return followed;
    discard();
    const server = followed.lastUrl.origin;
    const fromHub = server === endpoint.origin;
    throw refusalError({ status, header, server, fromHub }, what, deps.now());
  };

  return {
    address: base,
    revision: (reference, signal) =>
      withRetries(deps, signal, async () => {
        const headers = { accept: 'application/json' };
        const { last, lastUrl } = await accepted(
          revisionPath(reference),
          headers,
          asked(reference, null),
          signal,
        );
        const text = await textOf(last, lastUrl.origin);
        let json: unknown;
        try {
          json = JSON.parse(text);
        } catch (error) {
          if (isPage(last) || text.trimStart().startsWith('<')) throw pageError(lastUrl.origin, 'JSON');
          throw new PassingError('upstream_answer', `${lastUrl.origin} sent JSON that is cut off.`, null, {
            cause: error,
          });
        }
        return parseRevisionInfo(json, lastUrl.origin);
      }),
    open: async (reference, path, headers, signal) => {
      const { repository, revision } = reference;
      const { first, last, lastUrl } = await accepted(
        filePath(repository, revision, path),
        headers,
        asked(reference, path),
        signal,
      );
      if (isPage(last)) {
        last.discard();
        throw pageError(lastUrl.origin, `the file "${path}"`);
      }
      return {
        answer: last,
        hash: hashOfEtag(first.header('x-linked-etag') ?? first.header('etag')),
        bytes: byteCount(first.header('x-linked-size')),
        server: lastUrl.origin,
      };
    },
  };
}

/** Where a redirect leads. Throws where it is not followed: to no http, or from https to http. */
export function nextUrl(from: URL, location: string): URL {
  if (URL.canParse(location, from.href)) {
    const to = new URL(location, from.href);
    if (to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:')) return to;
  }
  throw new TwinrankError(
    'upstream_answer',
    `${from.origin} redirects to an address that is not followed: only http: and https: are, and none from https: to http:.`,
  );
}

async function textOf(answer: Answer, server: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body) {
    size += chunk.length;
    if (size > MAX_INFO_BYTES)
      throw new TwinrankError('upstream_answer', `${server} lists more files than can be read.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function isPage(answer: Answer): boolean {
  return /^\s*text\/html\b/i.test(answer.header('content-type') ?? '');
}
