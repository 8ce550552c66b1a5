/** From the two answers to rows that say where each hit was and where it is. Pure; knows no page. */

/**
 * @typedef {object} Hit
 * @property {string} key index and id
 * @property {string} id
 * @property {string} index
 * @property {string} title
 * @property {number | null} score
 * @property {number | null} engineScore
 * @property {number | null} probability
 * @property {number | null} logOdds
 * @property {{ query: number, passage: number, distance: number } | null} parts
 * @property {string | null} unscored why it has no probability
 */

/**
 * @typedef {object} Row
 * @property {Hit} hit
 * @property {number} rank in its own column, from 1
 * @property {number | null} other rank in the other order, null where it is not known
 * @property {'up' | 'down' | 'same' | 'new' | 'gone'} move as seen from the engine's order to ours
 * @property {number} distance places moved
 */

/**
 * Hits of a search answer.
 * @param {any} body
 * @param {string} titleField
 * @returns {Hit[]}
 */
export function hitsOf(body, titleField) {
  const hits = body?.hits?.hits;
  return Array.isArray(hits) ? hits.map((hit) => readHit(hit, titleField)) : [];
}

/**
 * @param {any} hit
 * @param {string} titleField
 * @returns {Hit}
 */
function readHit(hit, titleField) {
  const shown = hit.fields?._twinrank?.[0] ?? {};
  const id = String(hit._id);
  const index = String(hit._index ?? '');
  return {
    key: `${index}/${id}`,
    id,
    index,
    title: textAt(hit._source, titleField) ?? id,
    score: number(hit._score),
    engineScore: number(shown.engine_score),
    probability: number(shown.probability),
    logOdds: number(shown.log_odds),
    parts: shown.log_odds_parts ?? null,
    unscored: typeof shown.unscored === 'string' ? shown.unscored : null,
  };
}

/**
 * Both columns. `engine` may be longer than what is shown, so that a hit from far below has its old rank.
 * @param {Hit[]} engine
 * @param {Hit[]} ours
 * @param {number} shown
 * @returns {{ engine: Row[], ours: Row[] }}
 */
export function compareOrders(engine, ours, shown) {
  const was = new Map(engine.map(({ key }, i) => [key, i + 1]));
  const is = new Map(ours.map(({ key }, i) => [key, i + 1]));
  return {
    engine: engine
      .slice(0, shown)
      .map((hit, i) => row(hit, i + 1, is.get(hit.key) ?? null, i + 1, is.get(hit.key))),
    ours: ours
      .slice(0, shown)
      .map((hit, i) => row(hit, i + 1, was.get(hit.key) ?? null, was.get(hit.key), i + 1)),
  };
}

/**
 * @param {Hit} hit
 * @param {number} rank
 * @param {number | null} other
 * @param {number | undefined} before
 * @param {number | undefined} after
 * @returns {Row}
 */
function row(hit, rank, other, before, after) {
  if (before === undefined) return { hit, rank, other, move: 'new', distance: 0 };
  if (after === undefined) return { hit, rank, other, move: 'gone', distance: 0 };
  const move = after < before ? 'up' : after > before ? 'down' : 'same';
  return { hit, rank, other, move, distance: Math.abs(after - before) };
}

/**
 * Text of a field, which may be a path through objects.
 * @param {any} source
 * @param {string} field
 * @returns {string | undefined}
 */
function textAt(source, field) {
  if (typeof source !== 'object' || source === null) return undefined;
  const own = Object.hasOwn(source, field) ? source[field] : undefined;
  if (typeof own === 'string' || typeof own === 'number') return String(own);
  if (Array.isArray(own)) return own.map(String).join(' ');
  const dot = field.indexOf('.');
  const parent = dot === -1 ? '' : field.slice(0, dot);
  return dot === -1 || !Object.hasOwn(source, parent)
    ? undefined
    : textAt(source[parent], field.slice(dot + 1));
}

/**
 * @param {unknown} value
 * @returns {number | null}
 */
function number(value) {
  return typeof value === 'number' ? value : null;
}
