/** What a client wrote comes back with the same bytes, through sidecar, engine and reranking proxy. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rawRequest } from './support/raw-request.js';
import { stackFixture } from './support/stack.js';

const JSON_TYPE = { 'content-type': 'application/json' };
/** Numbers, escapes and layout that parsing and printing would change. */
const TRICKY =
  '"n": 9007199254740993, "x": 1.0, "z": -0.0, "e":1E+2, "s": "\\u00e9\\/", "t":\t"\u4e2d\u6587", "o": { "a" : [ 1.50, 2e0 ] }';

describe('documents keep their bytes', () => {
  const { engine, stack } = stackFixture();

  async function sourceThroughProxy(
    index: string,
    query: string,
  ): Promise<{ body: string; outcome: string }> {
    const answer = await rawRequest({
      url: stack.proxy,
      method: 'POST',
      path: `/${index}/_search`,
      headers: JSON_TYPE,
      body: JSON.stringify({ query: { match: { title: query } } }),
    });
    assert.equal(answer.status, 200, answer.body.toString());
    return { body: answer.body.toString('utf8'), outcome: String(answer.headers['x-twinrank']) };
  }

  for (const [name, document] of [
    ['fields before the title', `{${TRICKY}, "title": "a red bicycle"}`],
    ['fields after the title, odd layout', `{ "title" : "a red bicycle" ,\r\n ${TRICKY} }`],
    ['the title alone', '{"title":"a red bicycle"}'],
    ['a title with escapes', `{"title":"a red \\u0062icycle \\ud83d\\udeb2",${TRICKY}}`],
  ] as const) {
    for (const way of ['_doc', '_create', '_bulk'] as const) {
      it(`${name}, by ${way}`, async () => {
        const index = engine.index();
        await stack.setUp(index);
        const bulk = way === '_bulk';
        // A bulk line cannot hold a newline; elsewhere it may.
        const source = bulk ? document.replaceAll('\r\n', ' ') : document;
        const written = await rawRequest({
          url: stack.sidecar,
          method: bulk ? 'POST' : 'PUT',
          path: bulk ? `/${index}/_bulk?refresh=true` : `/${index}/${way}/1?refresh=true`,
          headers: bulk ? { 'content-type': 'application/x-ndjson' } : JSON_TYPE,
          body: bulk ? `{"index":{"_id":"1"}}\n${source}\n` : source,
        });
        assert.ok(written.status < 300, written.body.toString());
        assert.match(String(written.headers['x-twinrank']), /^ingested; vector=1$/);
        const found = await sourceThroughProxy(index, 'bicycle');
        assert.match(found.outcome, /^applied; window=100; scored=1; /);
        assert.ok(found.body.includes(`"_source":${source}}`), found.body);
      });
    }
  }

  it("a document with a key twice gets the engine's own refusal, as direct", async () => {
    const index = engine.index();
    await stack.setUp(index);
    const request = {
      method: 'PUT',
      path: `/${index}/_doc/1`,
      headers: JSON_TYPE,
      body: '{"n": 9007199254740993, "x": 1.0, "z": -0.0, "a": 1, "a": 2, "s": "\\u00e9"}',
    };
    const direct = await rawRequest({ url: stack.engine, ...request });
    const through = await rawRequest({ url: stack.sidecar, ...request });
    assert.equal(through.status, direct.status);
    assert.equal(through.body.toString(), direct.body.toString());
  });
});
