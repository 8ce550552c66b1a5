/** Recognises a search among all requests and reads its target; changes nothing. */

/** One `name=value` of a query string, as sent and decoded. */
export interface QueryParameter {
  readonly raw: string;
  readonly name: string;
  readonly value: string;
}

/** A search: where it goes and with which parameters. */
export interface SearchRoute {
  /** Path as sent, without the query string. */
  readonly path: string;
  /** Index expression, decoded; empty for all indices. */
  readonly index: string;
  readonly parameters: readonly QueryParameter[];
}

/** The search that the request line asks for, or undefined. `/_search` and `/{index}/_search` by GET and POST. */
export function searchRoute(method: string, target: string): SearchRoute | undefined {
  if (method !== 'GET' && method !== 'POST') return undefined;
  const question = target.indexOf('?');
  const path = question === -1 ? target : target.slice(0, question);
  if (!path.includes('_search')) return undefined;
  const segments = path.split('/').filter((segment) => segment !== '');
  const last = segments.at(-1);
  if (last !== '_search' || segments.length > 2) return undefined;
  const index = segments.length === 2 ? decode(segments[0] ?? '') : '';
  const parameters = question === -1 ? [] : queryParameters(target.slice(question + 1));
  return index === undefined || parameters === undefined ? undefined : { path, index, parameters };
}

function queryParameters(query: string): QueryParameter[] | undefined {
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
