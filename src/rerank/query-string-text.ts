/**
 * Plain words of the engines' two query-string languages (Lucene's classic syntax and the simple one): operators,
 * field names, boosts and excluded terms are not part of what the user means. One pass, no backtracking.
 */

const CLASSIC_OPERATORS: ReadonlySet<string> = new Set(['AND', 'OR', '&&', '||', '+', '|', '-', '!', 'TO']);

/** Nobody types more; longer ones are refused by their length, so nothing is spent on them here. */
const LONGEST = 100_000;

/** Words of a `query_string` or `q=` text. */
export function plainQueryString(text: string): string {
  if (text.length > LONGEST) return text;
  return words(
    text,
    (token) => token.replace(/^(?:[\p{L}\p{N}_.*@-]|\\.)+:(?!\/\/)/u, ''),
    CLASSIC_OPERATORS,
    true,
  );
}

/** Words of a `simple_query_string` text, which knows neither field names nor AND, OR, NOT. */
export function plainSimpleQueryString(text: string): string {
  if (text.length > LONGEST) return text;
  return words(text, (token) => token, new Set(['+', '|', '-']), false);
}

function words(
  text: string,
  strip: (token: string) => string,
  operators: ReadonlySet<string>,
  knowsNot: boolean,
): string {
  const kept: string[] = [];
  let excludeNext = false;
  for (const token of tokens(text)) {
    if (knowsNot && (token === 'NOT' || token === '!')) {
      excludeNext = true;
      continue;
    }
    if (operators.has(token)) continue;
    const excluded = excludeNext || (knowsNot ? /^[-!]./ : /^-./).test(token);
    excludeNext = false;
    if (excluded) continue;
    const word = strip(token.replace(/^[+(]+/, ''))
      .replaceAll(/["()[\]{}]/g, ' ')
      .replace(/[~^][\d.]*\s*$/, '')
      .replaceAll(/\\(.)/g, '$1')
      .replaceAll('*', '')
      .trim();
    if (word !== '') kept.push(word);
  }
  return kept.join(' ');
}

/** Splits at spaces outside double quotes. */
function tokens(text: string): string[] {
  const result: string[] = [];
  let current = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? '';
    if (c === '\\' && i + 1 < text.length) {
      current += c + (text[i + 1] ?? '');
      i++;
    } else if (c === '"') {
      quoted = !quoted;
      current += c;
    } else if (!quoted && /\s/.test(c)) {
      if (current !== '') result.push(current);
      current = '';
    } else current += c;
  }
  if (current !== '') result.push(current);
  return result;
}
