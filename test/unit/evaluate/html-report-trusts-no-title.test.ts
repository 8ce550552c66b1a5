import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deltaChart } from '../../../src/evaluate/html-charts.js';
import { htmlReport } from '../../../src/evaluate/html-report.js';
import { markup } from '../../../src/evaluate/html-text.js';
import { metricNamed } from '../../../src/evaluate/metrics.js';
import { REPORT_DEFAULTS, reportOf } from '../../../src/evaluate/report.js';
import type { Hit } from '../../../src/evaluate/ranking.js';
import type { EvaluationRun, QueryResult } from '../../../src/evaluate/run-evaluation.js';

const HOSTILE = `<script>alert(1)</script>"><img src=x onerror='y'>&amp;\u202e\u0000`;
const metric = metricNamed('nDCG@10');

/** The engine has a, b and the proxy b, a; `relevant` decides who is right. */
function result(text: string, relevant: string): QueryResult {
  const hits: Hit[] = [
    { id: 'a', score: 2, title: `${HOSTILE} of a` },
    { id: 'b', score: 1, title: 'plain title of b' },
  ];
  return {
    query: { id: text, text },
    judgments: new Map([[relevant, 2]]),
    engine: { ranking: ['a', 'b'], hits, milliseconds: 1 },
    proxy: { ranking: ['b', 'a'], hits, milliseconds: 1 },
    outcome: 'applied; scored=2',
    candidates: [
      { id: 'a', engineScore: 2, logOdds: -1 },
      { id: 'b', engineScore: 1, logOdds: 1 },
    ],
    excluded: new Set(),
  };
}

const run: EvaluationRun = {
  results: [result(`${HOSTILE} won`, 'b'), result('lost query', 'a'), result('lost too', 'a')],
  withoutRelevant: 0,
  unjudged: 0,
};
const report = reportOf(run, { ...REPORT_DEFAULTS, resamples: 100, seed: 1 });
const page = htmlReport(report, run, metric, { index: HOSTILE, seed: 1 });

describe('the HTML report', () => {
  it('escapes titles, queries and settings', () => {
    assert.ok(!/<script|<img|onerror='/.test(page));
    assert.ok(
      page.includes(
        '&lt;script&gt;alert(1)&lt;/script&gt;&quot;&gt;&lt;img src=x onerror=&#39;y&#39;&gt;&amp;amp;',
      ),
    );
    assert.ok(!page.includes('\u0000') && !page.includes('\u202e'));
  });

  it('asks for nothing from outside', () => {
    assert.match(page, /default-src 'none'/);
    assert.ok(!/(?:src|href)=|url\(|@import|https?:/.test(page.replaceAll(/&lt;img src=x/g, '')));
  });

  it('shows gains and losses side by side, with grades', () => {
    const worse = page.slice(
      page.indexOf('Where twinrank is worse'),
      page.indexOf('Where twinrank is better'),
    );
    const better = page.slice(page.indexOf('Where twinrank is better'));
    assert.ok(worse.includes('lost query') && worse.includes('lost too') && !worse.includes('won'));
    assert.ok(better.includes('won') && !better.includes('lost'));
    assert.ok(better.indexOf('of a') < better.indexOf('plain title of b'));
    assert.match(better, /<tr class="relevant"><td>2<\/td><td title="b">plain title of b/);
    assert.match(better, /<td>not judged<\/td>/);
  });

  it('has a bar for each query: up for a gain, down for a loss', () => {
    assert.equal(page.match(/<rect/g)?.length, 3);
    assert.equal(page.match(/class="loss"/g)?.length, 2);
    const chart = deltaChart([
      { label: 'up', difference: 0.5 },
      { label: 'down', difference: -0.25 },
    ]).toString();
    // Zero is at 110; the highest bar is 100 long, the other half of that.
    assert.match(chart, /class="gain"\s+x="40\.0"\s+y="10\.0"\s+width="[\d.]+"\s+height="100\.0"/);
    assert.match(chart, /class="loss"\s+x="470\.0"\s+y="110\.0"\s+width="[\d.]+"\s+height="50\.0"/);
  });

  it('is well formed: every element that is opened is closed', () => {
    const open: string[] = [];
    for (const [, close, name = '', self] of page.matchAll(/<(\/?)([a-z]\w*)[^>]*?(\/?)>/g)) {
      if (self === '/' || name === 'meta') continue;
      if (close === '/') assert.equal(open.pop(), name);
      else open.push(name);
    }
    assert.deepEqual(open, []);
  });
});

describe('markup', () => {
  it('goes in as it is, alone and in lists; all else is escaped', () => {
    assert.equal(
      markup`<b>${markup`<i>${'<'}</i>`}${[markup`1`, markup`2`]}${3}</b>`.toString(),
      '<b><i>&lt;</i>123</b>',
    );
  });
});
