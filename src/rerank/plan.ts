/** From a search request to what is asked of the engine in its place, or the reason for leaving it alone. */
import { blendWeight, type Blend } from '../model/blend.js';
import { vectorFields, type IndexSettings } from '../search-engine/mapping-meta.js';
import { isRecord } from '../search-engine/json-value.js';
import type { SettingsByIndex, SettingsOf } from '../search-engine/index-settings.js';
import { haveSameEncoder } from '../search-engine/other-model.js';
import { queryText } from './query-text.js';
import type { Knobs } from './knobs.js';
import type { VectorHiding } from './hit-vector.js';
import { plainQueryString } from './query-string-text.js';
import { bodyForEngine } from './request-splice.js';
import { parameterValue, targetWithout, type SearchRoute } from './search-route.js';
import { isWholeSource, namedFields, sourceWishes } from './source-wishes.js';
import { planWindow, type Page, type WindowPlan, type WindowSkip } from './window.js';

/** Why a search is left alone. Each is a value of the `x-twinrank` header and documented for operators. */
export type SkipReason =
  | WindowSkip
  | 'sort'
  | 'scroll'
  | 'search_after'
  | 'point_in_time'
  | 'collapse'
  | 'rescore'
  | 'slice'
  | 'profile'
  | 'search_pipeline'
  | 'knn'
  | 'stored_fields'
  | 'filter_path'
  | 'format'
  | 'off'
  | 'mixed'
  | 'query_too_long'
  | 'template_parameters'
  | 'template_unrendered'
  | 'content_encoding'
  | 'body_too_large'
  | 'unreadable_body'
  | 'no_query_text'
  | 'not_configured'
  | 'settings_unavailable'
  | 'other_model';

/** A search that may be reranked, before it is known which indices it meets. */
export interface Candidate {
  readonly route: SearchRoute;
  /** The caller's body; empty where there was none. */
  readonly body: Buffer;
  readonly queryText: string;
  readonly page: Page;
  /** The hits will carry their `_source` as it was indexed: nothing is filtered. */
  readonly wholeSource: boolean;
  /** All that the request says about `_source`, as text: a field that it names is shown. */
  readonly sourceWishes: string;
  /** Names that the request asks for in `fields` and `docvalue_fields`. */
  readonly namedFields: ReadonlySet<string>;
  readonly knobs: Knobs;
  /** The caller asked the engine to explain its scores. */
  readonly explain: boolean;
}

/** What a request says beside its query. */
export interface SearchWishes {
  readonly knobs?: Knobs;
  /** Text that `ext.rerank.query_context` names. */
  readonly queryText?: string | undefined;
}

/** What holds where neither request nor index says otherwise. */
export interface PlanDefaults {
  /** Weight of the engine's score in the order. */
  readonly blend: Blend;
  readonly maxQueryLength: number;
}

export const PLAN_DEFAULTS: PlanDefaults = { blend: 0, maxQueryLength: 10_000 };

/** What is sent instead, and what the answer must be cut to. */
export interface RerankPlan {
  readonly queryText: string;
  readonly window: WindowPlan;
  readonly target: string;
  readonly body: Buffer;
  readonly settings: SettingsByIndex;
  /** Hits carry their `_source` whole, so that a changed text can be noticed. */
  readonly wholeSource: boolean;
  readonly hide: VectorHiding;
  readonly blend: number;
  /** Scores are shown under `fields._twinrank` of each hit, with the head's parts or without. */
  readonly show: 'nothing' | 'scores' | 'parts';
}

/** Body keys that change what an order means, with the reason they give. */
const LEFT_ALONE_KEYS: Readonly<Record<string, SkipReason>> = {
  search_after: 'search_after',
  pit: 'point_in_time',
  collapse: 'collapse',
  rescore: 'rescore',
  slice: 'slice',
  knn: 'knn',
  stored_fields: 'stored_fields',
};

/** Parameters likewise. */
const LEFT_ALONE_PARAMETERS: Readonly<Record<string, SkipReason>> = {
  scroll: 'scroll',
  stored_fields: 'stored_fields',
  filter_path: 'filter_path',
};

const DEFAULT_SIZE = 10;

/** Reads the request: pure, and cheap enough to run before any look-up. */
export function readSearch(
  route: SearchRoute,
  body: Buffer,
  wishes: SearchWishes = {},
): Candidate | SkipReason {
  const knobs = wishes.knobs ?? {};
  if (knobs.enabled === false) return 'off';
  for (const { name } of route.parameters) {
    const reason = Object.hasOwn(LEFT_ALONE_PARAMETERS, name) ? LEFT_ALONE_PARAMETERS[name] : undefined;
    if (reason !== undefined) return reason;
  }
  const format = parameterValue(route, 'format');
  if (format !== undefined && format !== 'json') return 'format';
  const sort = parameterValue(route, 'sort');
  if (sort !== undefined && sort !== '_score' && sort !== '_score:desc') return 'sort';

  const parsed = parseBody(body);
  if (parsed === undefined) return 'unreadable_body';
  for (const [key, reason] of Object.entries(LEFT_ALONE_KEYS)) if (parsed[key] !== undefined) return reason;
  if (parsed['profile'] === true || parsed['profile'] === 'true') return 'profile';
  if (parsed['sort'] !== undefined && !isScoreSort(parsed['sort'])) return 'sort';

  const from = wholeNumber(parameterValue(route, 'from') ?? parsed['from'], 0);
  const size = wholeNumber(parameterValue(route, 'size') ?? parsed['size'], DEFAULT_SIZE);
  // The engine has its own words for a page that is not a page.
  if (from === undefined || size === undefined) return 'unreadable_body';

  const q = parameterValue(route, 'q');
  const text = wishes.queryText ?? (q !== undefined ? plainQueryString(q) : queryText(parsed['query']));
  if (text === undefined || text === '') return 'no_query_text';
  return {
    route,
    body,
    queryText: text,
    page: { from, size },
    wholeSource: isWholeSource(route, parsed),
    sourceWishes: sourceWishes(route, body),
    namedFields: namedFields(route, parsed),
    knobs,
    explain: parsed['explain'] === true || parameterValue(route, 'explain') === 'true',
  };
}

/** Completes the plan with what the indices say. */
export function planSearch(
  candidate: Candidate,
  settings: SettingsOf,
  encoder: { readonly fingerprint: string; readonly dimensions: number },
  defaults: PlanDefaults = PLAN_DEFAULTS,
): RerankPlan | SkipReason {
  if (settings.byIndex.size === 0) return 'not_configured';
  const usable = [...settings.byIndex.values()].filter((s) => haveSameEncoder(s, encoder));
  if (usable.length === 0) return 'other_model';
  if (candidate.queryText.length > defaults.maxQueryLength) return 'query_too_long';
  const { knobs } = candidate;
  const window = planWindow(
    candidate.page,
    knobs.window ?? Math.max(...usable.map((s) => s.window)),
    settings.maxResultWindow,
  );
  if (typeof window === 'string') return window;
  const wholeSource = candidate.wholeSource && settings.sourcesAreWhole;
  const ours = [...new Set(usable.flatMap(vectorFields))];
  // What the caller asks for by name comes anyway, and is the caller's.
  const unnamed = ours.filter((field) => !candidate.namedFields.has(field));
  const asked = (fields: readonly (string | undefined)[]): readonly string[] =>
    wholeSource ? [] : unnamed.filter((field) => fields.includes(field));
  const body = bodyForEngine(candidate.body, {
    size: window.fetch,
    docvalueFields: asked(usable.map((s) => s.vectorField)),
    // The engines' own vector fields have no doc values to ask for.
    fields: asked(usable.map((s) => (s.native?.values === 'instead' ? s.native.field : undefined))),
  });
  if (body === undefined) return 'unreadable_body';
  return {
    queryText: candidate.queryText,
    window,
    target: targetWithout(candidate.route, 'from', 'size', 'source', 'source_content_type'),
    body,
    settings: settings.byIndex,
    wholeSource,
    hide: {
      inSource: ours.filter((field) => !candidate.sourceWishes.includes(field)),
      inFields: unnamed,
    },
    blend: blendWeight(knobs.blend ?? firstBlend(usable) ?? defaults.blend),
    show:
      knobs.explain === true || (knobs.scores === true && candidate.explain)
        ? 'parts'
        : knobs.scores === true
          ? 'scores'
          : 'nothing',
  };
}

/** Indices that are searched together are put into one order, so one weight holds for all: that of the first that has one. */
function firstBlend(settings: readonly IndexSettings[]): Blend | undefined {
  return settings.find((s) => s.blend !== undefined)?.blend;
}

/** The body as data, for reading only; undefined where it is not one JSON object. */
function parseBody(body: Buffer): Record<string, unknown> | undefined {
  if (body.length === 0) return {};
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Engines read numbers in strings as numbers; anything else is theirs to refuse. */
function wholeNumber(value: unknown, otherwise: number): number | undefined {
  if (value === undefined) return otherwise;
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** `_score` descending alone, in any of the forms that the engines accept. */
function isScoreSort(sort: unknown): boolean {
  const list = [sort].flat();
  if (list.length !== 1) return list.length === 0;
  const [only] = list as unknown[];
  if (only === '_score') return true;
  if (!isRecord(only)) return false;
  const [key, ...others] = Object.keys(only);
  const clause = key === undefined ? undefined : only[key];
  if (key !== '_score' || others.length > 0) return false;
  return clause === 'desc' || (isRecord(clause) && (clause['order'] ?? 'desc') === 'desc');
}
