/** Calls of the page to its own server, which hands searches to the proxy with the viewer's credentials. */

/**
 * Who asks. Kept in memory alone.
 * @typedef {object} Viewer
 * @property {string | null} authorization for the engine
 * @property {string | null} token of the admin port
 */

/** A call that came to nothing. */
export class CallError extends Error {
  /**
   * @param {number} status 0 where the page's own server did not answer
   * @param {string} reason the engine's or our own words
   * @param {boolean} fromProxy the proxy or the engine behind it has said so, and not the admin port
   */
  constructor(status, reason, fromProxy) {
    super(reason);
    this.status = status;
    this.reason = reason;
    this.fromProxy = fromProxy;
  }
}

/**
 * A search and what came of it.
 * @typedef {object} SearchAnswer
 * @property {any} body
 * @property {string | null} outcome the header x-twinrank
 * @property {number} milliseconds as the page waited for it
 */

/**
 * @param {Viewer} viewer
 * @param {string} index
 * @param {unknown} body
 * @param {string} wish the request header x-twinrank
 * @param {AbortSignal} [signal]
 * @returns {Promise<SearchAnswer>}
 */
export async function search(viewer, index, body, wish, signal) {
  const started = performance.now();
  const response = await call(viewer, `search?index=${encodeURIComponent(index)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-twinrank': wish },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
  const answer = await response.json();
  return {
    body: answer,
    outcome: response.headers.get('x-twinrank'),
    milliseconds: performance.now() - started,
  };
}

/**
 * Names of the indices that the viewer may list.
 * @param {Viewer} viewer
 * @returns {Promise<string[]>}
 */
export async function listIndices(viewer) {
  const rows = await (await call(viewer, 'indices', {})).json();
  return rows
    .map((/** @type {any} */ row) => String(row.index))
    .filter((/** @type {string} */ name) => !name.startsWith('.'));
}

/**
 * @param {Viewer} viewer
 * @param {string} index
 * @returns {Promise<any>}
 */
export async function readMapping(viewer, index) {
  return (await call(viewer, `mapping?index=${encodeURIComponent(index)}`, {})).json();
}

/**
 * The judged view's work on our own server.
 * @param {Viewer} viewer
 * @param {'judgments' | 'figures'} what
 * @param {unknown} body
 * @param {AbortSignal} signal
 * @returns {Promise<any>}
 */
export async function reckon(viewer, what, body, signal) {
  const response = await call(viewer, what, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal,
  });
  return response.json();
}

/**
 * @param {Viewer} viewer
 * @param {string} path
 * @param {RequestInit & { headers?: Record<string, string> }} options
 * @returns {Promise<Response>}
 */
async function call(viewer, path, options) {
  const headers = {
    ...options.headers,
    ...(viewer.authorization === null ? {} : { 'x-engine-authorization': viewer.authorization }),
    ...(viewer.token === null ? {} : { authorization: `Bearer ${viewer.token}` }),
  };
  let response;
  try {
    response = await fetch(`api/${path}`, { ...options, headers, credentials: 'omit' });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new CallError(0, String(error), false);
  }
  if (response.ok) return response;
  throw new CallError(
    response.status,
    reasonOf(await response.text()),
    response.headers.get('x-playground-answer') === 'proxy',
  );
}

/**
 * The deepest reason in an error in the engine's shape.
 * @param {string} text
 * @returns {string}
 */
function reasonOf(text) {
  try {
    const { error } = JSON.parse(text);
    if (typeof error === 'string') return error;
    return String(error?.root_cause?.[0]?.reason ?? error?.reason ?? text.slice(0, 300));
  } catch {
    return text.slice(0, 300);
  }
}
