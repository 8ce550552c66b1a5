import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TwinrankError } from '../../../src/errors.js';
import { jobBody, jobId, parseJob } from '../../../src/ingest/reindex/jobs/job.js';
import { counts, jobAt, SPEC } from './fixtures.js';

const JOB = jobAt({
  slices: [{ index: 'books', shard: 0, from: 0, to: 10 }],
  history: [{ pass: 1, closed: false, started: 's', ended: 'e', counts: counts({ written: 1 }) }],
  blocked: ['books'],
});

function refusal(change: (body: Record<string, unknown>) => void): string {
  const body = structuredClone(jobBody(JOB));
  change(body);
  try {
    parseJob('books-1', body);
  } catch (error) {
    assert.ok(error instanceof TwinrankError);
    assert.equal(error.code, 'bad_job');
    return error.message;
  }
  return assert.fail('it was read');
}

describe('A job document', () => {
  it('is read as it was written', () => {
    assert.deepEqual(parseJob('books-1', JSON.parse(JSON.stringify(jobBody(JOB)))), JOB);
  });

  const edits: readonly (readonly [string, (body: Record<string, unknown>) => void, RegExp])[] = [
    ['a key that is unknown', (body) => (body['speed'] = 1), /"speed" must be left out/],
    ['a key that is missing', (body) => delete body['pass'], /"pass" must be a whole number from 1/],
    ['a text for a number', (body) => (body['run'] = '1'), /"run" must be a whole number/],
    ['a state that is none', (body) => (body['state'] = 'paused'), /"state" must be "running" or "done"/],
    ['a newer version', (body) => (body['version'] = 2), /"version" must be 1/],
    [
      'a slice without its end',
      (body) => (body['slices'] = [{ index: 'a', shard: 0, from: 0 }]),
      /"slices\[0\]\.to"/,
    ],
    [
      'a negative count',
      (body) => (body['history'] = [{ ...JOB.history[0], counts: counts({ failed: -1 }) }]),
      /"history\[0\]\.counts\.failed"/,
    ],
    ['a list for an object', (body) => (body['spec'] = []), /"spec" must be an object/],
  ];
  for (const [name, edit, expected] of edits) {
    it(`with ${name} is refused by the name of the key and the job`, () => {
      const message = refusal(edit);
      assert.match(message, expected);
      assert.match(message, /job "books-1".*twinrank jobs cancel books-1 --force/);
    });
  }

  it('that is no object at all is refused', () => {
    assert.throws(() => parseJob('books-1', undefined), /must be an object/);
    assert.throws(() => parseJob('books-1', [1]), /must be an object/);
  });
});

describe('The id of a job', () => {
  it('is the same for the same work, whatever the pace', () => {
    assert.equal(jobId(SPEC), jobId({ ...SPEC, passes: 9, model: 'renamed' }));
  });

  it('differs with what is done', () => {
    const ids = [
      SPEC,
      { ...SPEC, index: 'books*' },
      { ...SPEC, dest: 'books-2' },
      { ...SPEC, all: true },
      { ...SPEC, fingerprint: 'f' },
      { ...SPEC, textFields: ['title', 'body'] },
      { ...SPEC, textFields: ['title,body'] },
    ].map(jobId);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('begins with the name of the index in plain characters', () => {
    assert.match(jobId({ ...SPEC, index: 'Bücher:*,logs' }), /^b_cher_logs-[0-9a-f]{10}$/);
  });
});
