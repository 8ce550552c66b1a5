import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { belowBars, parseBar, worseThanEngine } from '../../../src/evaluate/bars.js';

describe('a bar', () => {
  it('is read from METRIC@K=VALUE', () => {
    const bar = parseBar('judged-only ndcg@5=.4');
    assert.equal(bar.metric.name, 'judged-only nDCG@5');
    assert.equal(bar.atLeast, 0.4);
    for (const wrong of ['nDCG@10', 'nDCG@10=', 'nDCG@10=2', 'nDCG@10=-1', 'nDCG@10=x'])
      assert.throws(() => parseBar(wrong), /expected METRIC@K=VALUE/);
    assert.throws(() => parseBar('F1@10=0.5'), /is no metric/);
  });

  it('is named where it is not cleared, and met exactly it is', () => {
    const measured = [
      { name: 'nDCG@10', twinrank: 0.35 },
      { name: 'MRR@10', twinrank: 0.2 },
    ];
    assert.deepEqual(belowBars(measured, [parseBar('nDCG@10=0.35')]), []);
    assert.deepEqual(belowBars(measured, [parseBar('nDCG@10=0.3'), parseBar('MRR@10=0.5')]), [
      'MRR@10 is 0.2000, the bar is 0.5 (--fail-below)',
    ]);
  });

  it('against the engine is missed only where the interval is clear of zero', () => {
    const measured = { name: 'nDCG@10', difference: -0.02 };
    assert.deepEqual(worseThanEngine({ ...measured, interval: { low: -0.05, high: 0.01 } }), []);
    assert.match(
      worseThanEngine({ ...measured, interval: { low: -0.05, high: -0.01 } }).join(),
      /-0\.0200 \[-0\.0500/,
    );
  });
});
