/** The soak's own judgement: right pages pass, wrong ones are named. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pageProblem, type ExpectedPage } from '../../../scripts/soak/check-page.js';
import { readExposition } from '../../../scripts/soak/exposition.js';
import { growth, punctualShare } from '../../../scripts/soak/steadiness.js';

/** The engine finds a, b, c, d in this order; the head prefers d, b, a, c. */
const PROBABILITIES = { a: 0.5, b: 0.7, c: 0.1, d: 0.9 } as const;
type Id = keyof typeof PROBABILITIES;
const source = (id: Id): string => `{"n":1.0,"id":"${id}"}`;
const EXPECTED: ExpectedPage = {
  size: 3,
  window: (['a', 'b', 'c', 'd'] as const).map((id) => ({
    id,
    source: source(id),
    stored: source(id).replace('{', '{"v":"vector",'),
    probability: PROBABILITIES[id],
  })),
};

function page(ids: readonly Id[], change: (hit: string) => string = (hit) => hit): string {
  const hits = ids.map((id) =>
    change(`{"_id":"${id}","_score":${PROBABILITIES[id]},"_source":${source(id)}}`),
  );
  return `{"took":1,"hits":{"max_score":1,"hits":[${hits.join(',')}]}}`;
}

describe('a page', () => {
  it('in the order of the head is right', () => {
    assert.equal(pageProblem(page(['d', 'b', 'a']), EXPECTED, undefined), undefined);
  });

  it("in the engine's order is right where it was left to the engine for a good reason only", () => {
    assert.equal(pageProblem(page(['a', 'b', 'c']), EXPECTED, 'encode_timeout'), undefined);
    assert.match(pageProblem(page(['a', 'b', 'c']), EXPECTED, 'internal_error') ?? '', /internal_error/);
    assert.match(pageProblem(page(['a', 'b', 'c']), EXPECTED, 'not_configured') ?? '', /not_configured/);
  });

  it('that the engine gave to the request as it came shows what the engine shows', () => {
    const asStored = page(['a', 'b', 'c'], (hit) => hit.replace('{"n"', '{"v":"vector","n"'));
    assert.equal(pageProblem(asStored, EXPECTED, 'settings_unavailable'), undefined);
    assert.match(pageProblem(asStored, EXPECTED, 'encode_timeout') ?? '', /other bytes/);
  });

  const WRONG: readonly [string, string, string | undefined, RegExp][] = [
    ['two hits in the wrong order', page(['b', 'd', 'a']), undefined, /d belongs before b/],
    ['a hit that belongs elsewhere', page(['d', 'b', 'c']), undefined, /a belongs on the page/],
    ['a hit twice', page(['d', 'd', 'b']), undefined, /twice/],
    ['a hit too few', page(['d', 'b']), undefined, /2 hits and not 3/],
    [
      'a stranger',
      page(['d', 'b', 'a'], (hit) => hit.replace('"_id":"a"', '"_id":"x"')),
      undefined,
      /x is not of/,
    ],
    ['other bytes', page(['d', 'b', 'a'], (hit) => hit.replace('1.0', '1')), undefined, /other bytes/],
    ['another score', page(['d', 'b', 'a'], (hit) => hit.replace('0.9', '0.95')), undefined, /score 0.95/],
    ['no page', '{"error":{}}', undefined, /no page/],
    ['an order of nobody', page(['b', 'a', 'c']), 'encode_timeout', /not the engine's order/],
  ];
  for (const [what, answer, reason, problem] of WRONG)
    it(`with ${what} is wrong`, () => {
      assert.match(pageProblem(answer, EXPECTED, reason) ?? '', problem);
    });
});

describe('memory', () => {
  it('that goes up and down is flat, and that grows is not', () => {
    const wave = Array.from({ length: 400 }, (_, i) => 300 + 20 * Math.sin(i / 5));
    assert.equal(growth(wave).isFlat, true);
    assert.equal(growth(wave.map((mb, i) => mb + i / 4)).isFlat, false);
  });
});

describe('the event loop', () => {
  it('is judged by what came between two looks', () => {
    const look = (within: number, all: number) =>
      readExposition(
        `# HELP twinrank_event_loop_delay_seconds x\n# TYPE twinrank_event_loop_delay_seconds histogram\n` +
          `twinrank_event_loop_delay_seconds_bucket{le="0.02"} ${within}\ntwinrank_event_loop_delay_seconds_count ${all}\n`,
      );
    assert.equal(punctualShare(look(10, 100), look(60, 200)), 0.5);
    assert.ok(Number.isNaN(punctualShare(readExposition(''), look(1, 1))), 'what is not there is not good');
  });
});
