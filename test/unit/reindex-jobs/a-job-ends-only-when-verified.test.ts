import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nextStep } from '../../../src/ingest/reindex/jobs/next-step.js';
import { counts, jobAt, SPEC } from './fixtures.js';

const inPlace = (pass: number, passes = 5) => jobAt({ pass, spec: { ...SPEC, passes } });
const swapping = { ...SPEC, dest: 'books-2', swap: 'books-alias' };
const ended = (closed: boolean) => ({ pass: 1, closed, started: 's', ended: 'e', counts: counts({}) });

describe('What follows a pass', () => {
  it('is the end where the pass found nothing to do, be it the first', () => {
    assert.deepEqual(nextStep(inPlace(1), counts({ documents: 9, fresh: 8, noText: 1 })), { kind: 'finish' });
    assert.deepEqual(nextStep(inPlace(1), counts({})), { kind: 'finish' });
  });

  it('is another pass where one document was written', () => {
    assert.deepEqual(nextStep(inPlace(1), counts({ written: 1 })), { kind: 'pass', close: false });
    assert.deepEqual(nextStep(inPlace(4), counts({ written: 1 })), { kind: 'pass', close: false });
  });

  it('is failure after the last pass that is allowed, and says what to do', () => {
    const step = nextStep(inPlace(5), counts({ written: 7 }));
    assert.equal(step.kind, 'fail');
    assert.match(step.kind === 'fail' ? step.reason : '', /still found 7 documents .*sidecar.*--passes/);
  });

  it('is a second try for failures, and no third', () => {
    assert.deepEqual(nextStep(inPlace(1), counts({ failed: 2 })), { kind: 'pass', close: false });
    const step = nextStep(inPlace(2), counts({ failed: 2 }));
    assert.match(step.kind === 'fail' ? step.reason : '', /^2 documents could not .*--failures/);
  });

  it('is never the end with failures, however the pass was', () => {
    for (const pass of [1, 2, 3, 4, 5])
      for (const written of [0, 1, 5_000])
        for (const closed of [true, false])
          for (const spec of [SPEC, swapping])
            assert.notEqual(
              nextStep(jobAt({ pass, closed, spec }), counts({ failed: 1, written })).kind,
              'finish',
            );
  });

  it('closes the source before a swap when little is left, at the latest after the second pass', () => {
    const first = jobAt({ pass: 1, spec: swapping });
    assert.deepEqual(nextStep(first, counts({ written: 1_000_000 })), { kind: 'pass', close: false });
    assert.deepEqual(nextStep(first, counts({ written: 3 })), { kind: 'pass', close: true });
    assert.deepEqual(nextStep(first, counts({})), { kind: 'pass', close: true });
    const second = jobAt({ pass: 2, spec: swapping });
    assert.deepEqual(nextStep(second, counts({ written: 1_000_000 })), { kind: 'pass', close: true });
  });

  it('does not close the source over documents that cannot be written', () => {
    assert.equal(nextStep(jobAt({ pass: 2, spec: swapping }), counts({ failed: 1 })).kind, 'fail');
  });

  it('is the swap after a pass over the closed source', () => {
    const closed = jobAt({ pass: 3, closed: true, spec: swapping });
    assert.deepEqual(nextStep(closed, counts({ written: 12 })), { kind: 'finish' });
  });

  it('is one more try and then failure where documents fail with the source closed', () => {
    const first = jobAt({ pass: 3, closed: true, spec: swapping, history: [ended(false)] });
    assert.deepEqual(nextStep(first, counts({ failed: 1 })), { kind: 'pass', close: false });
    const second = jobAt({ pass: 4, closed: true, spec: swapping, history: [ended(false), ended(true)] });
    assert.equal(nextStep(second, counts({ failed: 1 })).kind, 'fail');
  });
});
