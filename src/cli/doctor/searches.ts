/** What measured searches say: of the engine's own time, and of what the proxy makes of them. Pure. */
import { quantile } from '../../model/bundle-bench.js';
import type { Finding } from './finding.js';

/** One search. */
export interface MeasuredSearch {
  readonly ms: number;
  readonly status: number;
  /** The header `x-twinrank`; undefined where there was none. */
  readonly outcome: string | undefined;
}

/** Times of searches sent to the engine itself, in milliseconds. */
export interface EngineTimes {
  /** For the page of a caller. */
  readonly page: readonly number[];
  /** For the whole window with `_source`, as the proxy asks. */
  readonly window: readonly number[];
  readonly windowSize: number;
}

/** Milliseconds that a window may take longer than a page before it is worth a word. */
const NOTICEABLE_MS = 100;

export function searchTimeFinding(index: string, { page, window, windowSize }: EngineTimes): Finding {
  const check = 'search-time';
  const [pageMs, windowMs] = [quantile(page, 0.5), quantile(window, 0.5)];
  const data = { page_ms: round(pageMs), window_ms: round(windowMs) };
  const message = `A page of 10 takes the engine ${data.page_ms} ms, the window of ${windowSize} with its documents ${data.window_ms} ms.`;
  if (windowMs - pageMs <= NOTICEABLE_MS) return { check, index, status: 'ok', message, data };
  return {
    check,
    index,
    status: 'warn',
    message: `${message} Reranked searches take at least so much longer.`,
    remedy:
      'A smaller window (twinrank mapping apply --window), or shorter documents: large fields that no search needs cost most.',
    data,
  };
}

/** What to do about the reasons for which a proxy leaves a search as it is; others point to the manual. */
const REMEDIES: Readonly<Record<string, string>> = {
  encode_timeout: 'Give the proxy more cores, or raise its --budget.',
  overloaded: 'Give the proxy more cores; too many searches wait for the model.',
  encode_failed: "See the proxy's log: its model worker has ended.",
  not_configured:
    'Look whether the proxy has the same engine as upstream; settings are believed for --settings-ttl.',
  settings_unavailable: 'Put credentials that may read mappings into the upstream address of the proxy.',
  other_model: 'Start the proxy with the model that the index is set up for (--model).',
  no_vectors: 'twinrank reindex gives the documents their vectors.',
};

export function proxySearchFinding(
  index: string,
  searches: readonly MeasuredSearch[],
  directMs: number,
): Finding {
  const check = 'proxy-search';
  const fail = (message: string, remedy: string): Finding => ({
    check,
    index,
    status: 'fail',
    message,
    remedy,
  });
  const refused = searches.find(({ status }) => status >= 400);
  if (refused?.status === 401 || refused?.status === 403)
    return {
      check,
      index,
      status: 'warn',
      message: `The engine refuses searches through the proxy (${refused.status}): they go with the credentials in --proxy, never with those of --upstream.`,
      remedy: 'Put credentials of someone who may search into --proxy.',
    };
  if (refused !== undefined)
    return fail(`A search through the proxy was answered with ${refused.status}.`, "See the proxy's log.");
  if (searches.some(({ outcome }) => outcome === undefined))
    return fail(
      'Answers come without the header x-twinrank: this is not the rerank proxy.',
      'Correct --proxy: it must be the address that twinrank rerank listens on, not that of the engine or the sidecar.',
    );
  const reasons = new Map<string, number>();
  for (const { outcome = '' } of searches) {
    const reason = reasonIn(outcome);
    if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  const times = searches.map(({ ms }) => ms);
  const [p50, p95] = [round(quantile(times, 0.5)), round(quantile(times, 0.95))];
  const applied = searches.length - [...reasons.values()].reduce((sum, count) => sum + count, 0);
  const data = {
    p50_ms: p50,
    p95_ms: p95,
    searches: searches.length,
    applied,
    skipped: Object.fromEntries(reasons),
  };
  const took = `half of them within ${p50} ms, 95 % within ${p95} ms (the engine alone: ${round(directMs)} ms)`;
  if (reasons.size === 0)
    return {
      check,
      index,
      status: 'ok',
      message: `${applied} of ${applied} searches were reranked, ${took}.`,
      data,
    };
  const list = [...reasons].map(([reason, count]) => `${count} were left as they are (${reason})`).join(', ');
  const remedies = [...reasons.keys()].map(
    (reason) => REMEDIES[reason] ?? `See ${reason} in docs/searching.md.`,
  );
  return {
    check,
    index,
    status: applied === 0 ? 'fail' : 'warn',
    message: `${applied} of ${searches.length} searches were reranked, ${list}; ${took}.`,
    remedy: [...new Set(remedies)].join(' '),
    data,
  };
}

/** Why a search was not reranked; undefined where it was, or would have been but for shadow mode. */
function reasonIn(outcome: string): string | undefined {
  if (/^(applied|shadow)\b/.test(outcome)) return undefined;
  return /reason=([\w]+)/.exec(outcome)?.[1] ?? 'unknown';
}

function round(ms: number): number {
  return Number(ms.toFixed(1));
}
