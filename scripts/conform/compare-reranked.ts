/**
 * A reranked answer beside the engine's own: the order of hits, their scores, `max_score`, the hidden vector, the
 * length and the compression may differ; the set of hits, every other byte of each hit and all around them may not.
 */
import { comparable, OUR_HEADER, withoutVersion, type Difference } from './compare.js';
import { elementsAt, membersAt, type Range } from './json-ranges.js';
import { valueOf, type WireAnswer } from './wire.js';

/** What the proxy says that it did; `plain` where it says nothing. */
export function outcomeOf(answer: WireAnswer | undefined): string {
  const value = answer === undefined ? undefined : valueOf(answer.headers, OUR_HEADER);
  if (value === undefined) return 'plain';
  const reason = /reason=([\w-]+)/.exec(value)?.[1];
  return value.startsWith('applied') || value.startsWith('ingested')
    ? (value.split(/[;,]/)[0] ?? '')
    : (reason ?? value);
}

/** True where the order may have been changed. */
export function isReranked(answer: WireAnswer | undefined): boolean {
  const value = answer === undefined ? undefined : valueOf(answer.headers, OUR_HEADER);
  return value !== undefined && /\bapplied\b/.test(value);
}

/** `whole` is the engine's answer with all hits of the window, the same as `direct` where the page is whole. */
export function compareReranked(
  direct: WireAnswer,
  whole: WireAnswer,
  through: WireAnswer,
  prefixes: readonly string[],
): Difference[] {
  const differences: Difference[] = [];
  const check = (where: string, a: string, b: string): void => {
    if (a !== b) differences.push({ where, direct: a.slice(0, 400), through: b.slice(0, 400) });
  };
  const headers = (answer: WireAnswer): string =>
    comparable(answer, prefixes)
      .headers.replace(/(content-length: ).*/i, '$1(any)')
      .replace(/content-encoding: .*\n/i, '');
  check('status line', withoutVersion(direct.statusLine), withoutVersion(through.statusLine));
  check('header lines', headers(direct), headers(through));
  check('content-length', String(through.body.length), valueOf(through.headers, 'content-length') ?? '');
  const [a, all, b] = [direct, whole, through].map((answer) => parts(comparable(answer, prefixes).body));
  if (a === undefined || all === undefined || b === undefined) return differences;
  check('around the hits', a.around, b.around);
  check('lists of hits', String(a.lists.length), String(b.lists.length));
  a.lists.forEach((hits, i) => {
    const theirs = b.lists[i] ?? [];
    check('number of hits', String(hits.length), String(theirs.length));
    const known = new Set((all.lists[i] ?? []).map((hit) => hit.text));
    const page = theirs.map((hit) => hit.text);
    for (const hit of page)
      if (!known.has(hit))
        check(
          'a hit that the engine did not give',
          [...known].find((one) => idOf(one) === idOf(hit)) ?? '(none)',
          hit,
        );
    check('hits that come twice', '0', String(page.length - new Set(page).size));
    const scores = theirs.map((hit) => Number(hit.score));
    check('scores that rise', '', scores.filter((score, n) => n > 0 && score > (scores[n - 1] ?? 0)).join());
  });
  return differences;
}

interface Hit {
  readonly text: string;
  readonly score: string;
}

interface Parts {
  readonly around: string;
  readonly lists: readonly (readonly Hit[])[];
}

/** A search answer, or that of many, taken apart. */
function parts(body: string): Parts {
  const top = membersAt(body, 0);
  const responses = top.find((member) => member.key === 'responses');
  const holders: Range[] =
    responses === undefined ? [{ start: 0, end: body.length }] : elementsAt(body, responses.start);
  const lists: Hit[][] = [];
  const cuts: (Range & { readonly by: string })[] = [];
  for (const holder of holders) {
    const hits = membersAt(body, holder.start).find((member) => member.key === 'hits');
    if (hits === undefined) continue;
    for (const member of membersAt(body, hits.start)) {
      if (member.key === 'max_score') cuts.push({ ...member, by: '(max)' });
      if (member.key !== 'hits') continue;
      lists.push(elementsAt(body, member.start).map((range) => hitOf(body.slice(range.start, range.end))));
      cuts.push({ ...member, by: '(hits)' });
    }
  }
  let around = '';
  let at = 0;
  for (const cut of cuts.sort((a, b) => a.start - b.start)) {
    around += body.slice(at, cut.start) + cut.by;
    at = cut.end;
  }
  return { around: withoutVector(around + body.slice(at)), lists };
}

function hitOf(text: string): Hit {
  const score = membersAt(text, 0).find((member) => member.key === '_score');
  if (score === undefined) return { text: withoutVector(text), score: 'NaN' };
  return {
    text: withoutVector(`${text.slice(0, score.start)}(score)${text.slice(score.end)}`),
    score: text.slice(score.start, score.end),
  };
}

/** The vector that the sidecar wrote is shown to those who go direct and hidden by the proxy. */
export function withoutVector(text: string): string {
  return text.replace(
    /,\s*"twinrank_vector"\s*:\s*"[^"]*"|"twinrank_vector"\s*:\s*"[^"]*"\s*,(?:\n\s*)?|"twinrank_vector"\s*:\s*"[^"]*"/g,
    '',
  );
}

function idOf(hit: string): string {
  return /"_id"\s*:\s*"([^"]*)"/.exec(hit)?.[1] ?? '';
}
