import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { meaningOf } from '../../../scripts/chaos/answers.js';
import { partialSource, wholeSource } from '../../../scripts/chaos/documents.js';
import { operation, type Outcome, type TrackedDocument } from '../../../scripts/chaos/ledger.js';
import { judge } from '../../../scripts/chaos/verdict.js';
import { encodePayload, hashText } from '../../../src/search-engine/vector-payload.js';

const WISH = { field: 'twinrank_vector', fingerprint: '0123456789abcdef' };

describe('the verdict of a chaos run', () => {
  it('finds nothing wrong with what was acknowledged and is there', () => {
    assert.deepEqual(verdict(written('acknowledged'), [stored(1, 'a')]), []);
  });

  it('misses an acknowledged document', () => {
    assert.match(
      verdict(written('acknowledged'), [])[0] ?? '',
      /^document 7 \(x\): acknowledged, and not there/,
    );
  });

  it('lets a document that was not acknowledged be there or not', () => {
    assert.deepEqual(verdict(written('unacknowledged'), []), []);
    assert.deepEqual(verdict(written('unacknowledged'), [stored(1, 'a')]), []);
  });

  it('does not let a refused document be there', () => {
    assert.match(verdict(written('refused'), [stored(1, 'a')])[0] ?? '', /not as it may be \(absent\)/);
  });

  it('sees a document that is there twice, under another id, or that nobody sent', () => {
    const document = written('acknowledged');
    assert.match(
      verdict(document, [stored(1, 'a'), { ...stored(1, 'a'), id: 'y' }])[0] ?? '',
      /there 2 times: x, y/,
    );
    assert.match(verdict(document, [{ ...stored(1, 'a'), id: 'y' }])[0] ?? '', /its id is y/);
    const found = new Map([
      [7, [stored(1, 'a')]],
      [8, [stored(1, 'a')]],
    ]);
    assert.match(judge([document], found, WISH)[0] ?? '', /^nobody sent document 8/);
  });

  it('sees an earlier version than the last acknowledged one, but not a later one that may have been written', () => {
    const changed = written('acknowledged');
    changed.operations.push({
      ...operation('index', 2, 'b', wholeSource(7, 2, 'b')),
      outcome: 'acknowledged',
    });
    assert.match(verdict(changed, [stored(1, 'a')])[0] ?? '', /not as it may be/);
    const perhaps = written('acknowledged');
    perhaps.operations.push({
      ...operation('index', 2, 'b', wholeSource(7, 2, 'b')),
      outcome: 'unacknowledged',
    });
    assert.deepEqual(verdict(perhaps, [stored(1, 'a')]), []);
    assert.deepEqual(verdict(perhaps, [stored(2, 'b')]), []);
  });

  it('sees a deleted document that is there', () => {
    const gone = written('acknowledged');
    gone.operations.push({ ...operation('delete', 2, '', ''), outcome: 'acknowledged' });
    assert.deepEqual(verdict(gone, []), []);
    assert.match(verdict(gone, [stored(1, 'a')])[0] ?? '', /not as it may be \(absent\)/);
  });

  it('sees bytes that were printed anew, except by an update of the engine', () => {
    const { id, source } = stored(1, 'a');
    const anew = { id, source: JSON.stringify(JSON.parse(source)) };
    assert.match(verdict(written('acknowledged'), [anew])[0] ?? '', /not as it may be/);
    const updated = written('acknowledged');
    updated.operations.push({
      ...operation('update', 2, 'b', partialSource(2, 'b')),
      outcome: 'acknowledged',
    });
    const merged = stored(2, 'b').source.replaceAll(', "', ',"');
    assert.deepEqual(verdict(updated, [{ id, source: merged }]), []);
    assert.match(
      verdict(updated, [{ id, source: merged.replace('"price"', '"prize"') }])[0] ?? '',
      /not as it may be/,
    );
  });

  it('sees a vector that is missing, of another title or of another model', () => {
    const document = written('acknowledged');
    assert.match(verdict(document, [{ id: 'x', source: wholeSource(7, 1, 'a') }])[0] ?? '', /has no vector/);
    assert.match(verdict(document, [stored(1, 'a', 'b')])[0] ?? '', /not of its title "a"/);
    assert.match(
      verdict(document, [stored(1, 'a', 'a', 'f'.repeat(16))])[0] ?? '',
      /of the model ffffffffffffffff/,
    );
  });

  it('shows the requests and answers of a document that is wrong', () => {
    const document = written('acknowledged');
    document.operations[0]?.attempts.push({ at: 1_500, request: 'PUT /i/_doc/x', answer: '201' });
    assert.match(
      verdict(document, [])[0] ?? '',
      /index of version 1: acknowledged\n\s+1\.50 s PUT \/i\/_doc\/x -> 201/,
    );
  });
});

describe('the meaning of an answer', () => {
  it('is done when the document was made by a try before', () => {
    assert.equal(meaningOf('create', 409, true), 'done');
    assert.equal(meaningOf('delete', 404, true), 'done');
  });

  it('is open when the engine met a document of its own making after it had lost a node', () => {
    assert.equal(meaningOf('index', 409, true), 'unclear');
    assert.equal(meaningOf('index', 409, false), 'refused');
  });

  it('is a refusal when there was no try before', () => {
    assert.equal(meaningOf('create', 409, false), 'refused');
    assert.equal(meaningOf('delete', 404, false), 'refused');
    assert.equal(meaningOf('update', 404, true), 'refused');
  });

  it('is open after a server error, and surely not done when the server is too busy', () => {
    assert.equal(meaningOf('index', 503, false), 'unclear');
    assert.equal(meaningOf('index', 429, false), 'not done');
  });
});

function written(outcome: Outcome): TrackedDocument {
  return { n: 7, id: 'x', operations: [{ ...operation('index', 1, 'a', wholeSource(7, 1, 'a')), outcome }] };
}

function stored(
  version: number,
  title: string,
  vectorOf = title,
  fingerprint = WISH.fingerprint,
): { readonly id: string; readonly source: string } {
  const payload = encodePayload({
    codec: 'f16',
    fingerprint,
    textHash: hashText(vectorOf),
    vector: Float32Array.of(1, 2),
  });
  return { id: 'x', source: `{"${WISH.field}":"${payload}",${wholeSource(7, version, title).slice(1)}` };
}

function verdict(
  document: TrackedDocument,
  found: readonly { readonly id: string; readonly source: string }[],
): readonly string[] {
  return judge([document], new Map(found.length === 0 ? [] : [[7, found]]), WISH);
}
