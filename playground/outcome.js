/** The header `x-twinrank` as data, and its explanation in plain words. */

/**
 * @typedef {object} Outcome
 * @property {string} kind applied, shadow, skipped, or none where there was no header
 * @property {string | null} reason of a skipped search
 * @property {Record<string, string>} facts by name
 */

/** Kinds of hits without a probability, in the order of the header. */
const PROBLEMS = [
  'missing',
  'stale',
  'other_model',
  'other_dimensions',
  'malformed',
  'not_finite',
  'not_configured',
];

/**
 * @param {string | null} header `applied; window=100; scored=98; encode=9.1ms; score=0.6ms`
 * @returns {Outcome}
 */
export function readOutcome(header) {
  const [kind = 'none', ...parts] = (header ?? 'none').split(';').map((part) => part.trim());
  const facts = Object.fromEntries(
    parts.map((part) => {
      const equals = part.indexOf('=');
      return equals === -1 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)];
    }),
  );
  return { kind, reason: kind === 'skipped' ? (facts['reason'] ?? '') : null, facts };
}

/**
 * Milliseconds of a part, null where the header does not tell.
 * @param {Outcome} outcome
 * @param {'encode' | 'score'} part
 * @returns {number | null}
 */
export function partMilliseconds({ facts }, part) {
  const value = Number.parseFloat(facts[part] ?? '');
  return Number.isFinite(value) ? value : null;
}

/**
 * Sentences about what happened, the first of them the verdict.
 * @param {Outcome} outcome
 * @param {import('./language.js').Translate} t
 * @returns {string[]}
 */
export function explainOutcome({ kind, reason, facts }, t) {
  if (kind === 'none') return [t('outcome_none')];
  if (kind === 'skipped')
    return [
      t('outcome_skipped'),
      t.has(`reason_${reason}`) ? t(`reason_${reason}`) : t('reason_other', { reason: reason ?? '' }),
    ];
  const sentences = [
    kind === 'shadow' ? t('outcome_shadow') : t('outcome_applied'),
    t('outcome_window', { window: facts['window'] ?? '', scored: facts['scored'] ?? '' }),
  ];
  for (const problem of PROBLEMS)
    if (facts[problem] !== undefined) sentences.push(t(`problem_${problem}`, { count: facts[problem] }));
  if (facts['encoded_now'] !== undefined)
    sentences.push(t('outcome_encoded_now', { count: facts['encoded_now'] }));
  if (facts['blend'] !== undefined) sentences.push(t('outcome_blend', { blend: facts['blend'] }));
  if (facts['correlation'] !== undefined)
    sentences.push(t('outcome_correlation', { correlation: facts['correlation'] }));
  return sentences;
}
