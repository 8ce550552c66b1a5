/** Recognises a search among all requests and reads its target; changes nothing. */

/** One `name=value` of a query string, as sent and decoded. */
export interface QueryParameter {
  readonly raw: string;
  readonly name: string;
  readonly value: string;
}

/** The APIs that search. Templates are rendered by the engine and then like the others. */
export type SearchKind = 'search' | 'msearch' | 'search_template' | 'msearch_template';

/** A search: where it goes and with which parameters. */
export interface SearchRoute {
  readonly kind: SearchKind;
  /** Path as sent, without the query string. */
  readonly path: string;
  /** Index expression, decoded; empty for all indices. */
  readonly index: string;
  readonly parameters: readonly QueryParameter[];
}

/** Last segments of the path by API. */
const KINDS: Readonly<Record<string, SearchKind>> = {
  _search: 'search',
  _msearch: 'msearch',
  '_search/template': 'search_template',
  '_msearch/template': 'msearch_template',
};

/** The search that the request line asks for, or undefined: with or without an index before the API's own segments. */
export function searchRoute(method: string, target: string): SearchRoute | undefined {
  if (method !== 'GET' && method !== 'POST') return undefined;
  const question = target.indexOf('?');
  const path = question === -1 ? target : target.slice(0, question);
  if (!path.includes('search')) return undefined;
  const segments = path.split('/').filter((segment) => segment !== '');
  const api = segments.findIndex((segment) => segment === '_search' || segment === '_msearch');
  if (api !== 0 && api !== 1) return undefined;
  const name = segments.slice(api).join('/');
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  const index = api === 1 ? decode(segments[0] ?? '') : '';
  const parameters = question === -1 ? [] : queryParameters(target.slice(question + 1));
  if (kind === undefined || index === undefined || parameters === undefined) return undefined;
  return { kind, path, index, parameters };
}

/** The route that a rendered template is searched by. */
export function routeOfRendered(route: SearchRoute): SearchRoute {
  return {
    ...route,
    kind: route.kind === 'msearch_template' ? 'msearch' : 'search',
    path: route.kind.endsWith('_template')
      ? route.path.slice(0, route.path.lastIndexOf('/template'))
      : route.path,
  };
}

function queryParameters(query: string): QueryParameter[] | undefined {
  // The engines split at semicolons too: what such a query string says is theirs to read.
  if (query.includes(';')) return undefined;
  const parameters: QueryParameter[] = [];
  for (const raw of query.split('&')) {
    if (raw === '') continue;
    const equals = raw.indexOf('=');
    const name = decode(equals === -1 ? raw : raw.slice(0, equals));
    const value = decode(equals === -1 ? '' : raw.slice(equals + 1).replaceAll('+', ' '));
    // What we cannot decode the engine shall judge.
    if (name === undefined || value === undefined) return undefined;
    parameters.push({ raw, name, value });
  }
  return parameters;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Value of a parameter; the last one counts where a name is repeated, as in the engine. */
export function parameterValue(route: SearchRoute, name: string): string | undefined {
  return route.parameters.findLast((parameter) => parameter.name === name)?.value;
}

/** Request target with the named parameters left out and the rest as sent. */
export function targetWithout(route: SearchRoute, ...names: readonly string[]): string {
  const kept = route.parameters
    .filter((parameter) => !names.includes(parameter.name))
    .map((parameter) => parameter.raw);
  return kept.length === 0 ? route.path : `${route.path}?${kept.join('&')}`;
}
