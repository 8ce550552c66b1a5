/** Which rights a purpose needs, how they are tried without changing anything, and what is said of those that lack. */
import { encodeExpression } from '../../search-engine/index-settings.js';
import type { EngineRequest } from '../../search-engine/client.js';
import type { Finding } from './finding.js';
import { isForbidden, whyOf, type Reply } from './reply.js';

/** What credentials are used for. */
export const PURPOSES = ['proxy', 'sidecar', 'reindex'] as const;
export type Purpose = (typeof PURPOSES)[number];

/** A right that is needed, and a request that fails without it. */
export interface Need {
  /** The engine's name for it (OpenSearch's, by which Elasticsearch's refusals go too). */
  readonly action: string;
  readonly purposes: readonly Purpose[];
  /** What does not work without it. */
  readonly without: string;
  readonly request: Omit<EngineRequest, 'signal'>;
  /** Its lack spoils a part only. */
  readonly isMinor?: boolean;
}

/**
 * Needs on the indices of an expression.
 * @param written an index that exists, to ask for a write to
 * @param id of a document that does not exist there
 */
export function needsOf(
  expression: string,
  written: string | undefined,
  id: string,
  purposes: readonly Purpose[],
): readonly Need[] {
  const target = expression === '' ? '' : `/${encodeExpression(expression)}`;
  const lenient = 'ignore_unavailable=true&allow_no_indices=true';
  const all: readonly Need[] = [
    {
      action: 'indices:admin/mappings/get',
      purposes: ['proxy', 'sidecar', 'reindex'],
      without: 'they cannot know which indices are set up',
      request: { method: 'GET', path: `${target}/_mapping?${lenient}` },
    },
    {
      action: 'indices:monitor/settings/get',
      purposes: ['proxy', 'reindex'],
      without: "the window is not held to the index's max_result_window",
      request: { method: 'GET', path: `${target}/_settings/index.max_result_window?${lenient}` },
    },
    {
      action: 'indices:admin/aliases/get',
      purposes: ['sidecar', 'reindex'],
      without: 'writes through an alias of several indices get no vectors',
      request: { method: 'GET', path: `/_alias?${lenient}` },
      isMinor: true,
    },
    {
      action: 'indices:admin/index_template/simulate_index',
      purposes: ['sidecar'],
      without: 'the write that makes an index from a template gets no vector',
      request: { method: 'POST', path: '/_index_template/_simulate_index/twinrank-doctor' },
      isMinor: true,
    },
    {
      action: 'indices:data/read/search',
      purposes: ['reindex'],
      without: 'documents cannot be read',
      request: { method: 'POST', path: `${target}/_search?${lenient}`, body: { size: 0 } },
    },
    ...(written === undefined ? [] : [writeNeed(written, id)]),
  ];
  return all.filter((need) => need.purposes.some((purpose) => purposes.includes(purpose)));
}

/** An update of a document that does not exist is refused before anything is written. */
function writeNeed(index: string, id: string): Need {
  const lines = [{ update: { _index: index, _id: id } }, { doc: {} }];
  return {
    action: 'indices:data/write/bulk*, indices:data/write/update, indices:data/write/index',
    purposes: ['reindex'],
    without: 'vectors cannot be written',
    request: {
      method: 'POST',
      path: '/_bulk',
      body: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
      headers: { 'content-type': 'application/x-ndjson' },
    },
  };
}

/** A need with what the engine said to its request. */
export interface Tried {
  readonly need: Need;
  readonly reply: Reply;
}

/** True where the engine said that the right is not there. Any other answer, an error too, comes after that check. */
function isRefused({ reply }: Tried): boolean {
  if (isForbidden(reply)) return true;
  const items =
    reply.kind === 'answer' ? (reply.answer.body as { items?: unknown } | null)?.items : undefined;
  // A bulk request is answered 200, and the item has the refusal.
  return Array.isArray(items) && /"(status":403|type":"security_exception)"?/.test(JSON.stringify(items));
}

export function permissionFindings(
  tried: readonly Tried[],
  purposes: readonly Purpose[],
): readonly Finding[] {
  const refused = tried.filter(isRefused);
  if (refused.length === 0) {
    const failed = tried.find(({ reply }) => reply.kind === 'failure');
    if (failed !== undefined)
      return [
        {
          check: 'permissions',
          status: 'skipped',
          message: `Not all could be tried: ${whyOf(failed.reply)}`,
        },
      ];
    return [
      {
        check: 'permissions',
        status: 'ok',
        message: `These credentials have what ${listOf(purposes)} ${purposes.length === 1 ? 'needs' : 'need'} (${tried.length} rights tried).`,
      },
    ];
  }
  return refused.map(({ need }) => ({
    check: 'permissions',
    status: need.isMinor === true ? 'warn' : 'fail',
    message: `The right ${need.action} is missing (${listOf(need.purposes.filter((purpose) => purposes.includes(purpose)))}): ${need.without}.`,
    remedy: `Give the role of this user ${need.action} on the indices, or put another user into --upstream.`,
    data: { action: need.action },
  }));
}

function listOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
