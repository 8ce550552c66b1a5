import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TwinrankError } from '../../../src/errors.js';
import { readReindexFailure, reindexFailureLine } from '../../../src/ingest/reindex/failures.js';

describe('the failures file', () => {
  it('names documents so that they are found again, and holds nothing of them', () => {
    const failure = { index: 'i', id: 'a "b"\n 中', routing: 'r', status: 400, reason: 'no "way"' };
    const line = reindexFailureLine(failure);
    assert.equal(
      line,
      '{"_failure":{"status":400,"reason":"no \\"way\\""},"_index":"i","_id":"a \\"b\\"\\n 中","_routing":"r"}\n',
    );
    assert.deepEqual(readReindexFailure(line, 1), { index: 'i', id: failure.id, routing: 'r' });
    const plain = reindexFailureLine({ index: 'i', id: '1', status: null, reason: 'x' });
    assert.deepEqual(readReindexFailure(plain, 1), { index: 'i', id: '1', routing: undefined });
    assert.equal(readReindexFailure(' \r', 3), undefined);
  });

  it('says which line is none of its own', () => {
    for (const line of [
      '{',
      '[]',
      '{"_id":"1"}',
      '{"_index":"i"}',
      '{"_index":"i","_id":1}',
      '{"_index":"i","_id":"1","_routing":2}',
    ])
      assert.throws(
        () => readReindexFailure(line, 12),
        (error) =>
          error instanceof TwinrankError &&
          error.code === 'bad_input_file' &&
          error.message.includes('Line 12'),
      );
  });
});
