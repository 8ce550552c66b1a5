/** Updates through the sidecar: the engine's own replies, and in the stored document the vector of the text it has. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Encoder } from '../../src/model/encoder.js';
import { hashText, readHeader } from '../../src/search-engine/vector-payload.js';
import { rawRequest, type RawResponse } from './support/raw-request.js';
import { stackFixture } from './support/stack.js';

const JSON_TYPE = { 'content-type': 'application/json' };

interface Answer {
  readonly result: string;
  readonly _version: number;
  readonly _seq_no: number;
  readonly _primary_term: number;
}

describe('an update through the sidecar', () => {
  const { engine, stack } = stackFixture();

  async function configured(textFields: readonly string[] = ['title']): Promise<string> {
    const index = engine.index();
    await stack.setUp(index, { textFields });
    return index;
  }
  const send = (url: string, path: string, body: unknown, method = 'POST'): Promise<RawResponse> =>
    rawRequest({
      url,
      method,
      path,
      headers: JSON_TYPE,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const put = (path: string, body: unknown): Promise<RawResponse> => send(stack.sidecar, path, body, 'PUT');
  async function update(path: string, body: unknown): Promise<Answer & { readonly outcome: string }> {
    const answer = await send(stack.sidecar, path, body);
    assert.ok(answer.status < 300, answer.body.toString());
    return { ...(JSON.parse(answer.body.toString()) as Answer), outcome: outcomeOf(answer) };
  }
  const outcomeOf = (answer: RawResponse): string => String(answer.headers['x-twinrank']);
  async function vectorOf(path: string): Promise<unknown> {
    const answer = (await engine.call('GET', path)) as { _source: Record<string, unknown> };
    return answer._source['twinrank_vector'];
  }
  async function assertVectorOf(path: string, text: string): Promise<void> {
    const header = readHeader(Buffer.from(String(await vectorOf(path)), 'base64'));
    assert.equal(header?.textHash, hashText(text), `${path} has the vector of "${text}"`);
    assert.equal(header.fingerprint, stack.bundle.fingerprint);
  }

  it('that changes the title changes the vector', async () => {
    const index = await configured();
    await put(`/${index}/_doc/1`, { title: 'one', n: 1 });
    const answer = await update(`/${index}/_update/1?refresh=true`, { doc: { title: 'two' } });
    assert.deepEqual([answer.result, answer._version, answer.outcome], ['updated', 2, 'ingested; vector=1']);
    await assertVectorOf(`/${index}/_doc/1`, 'two');
  });

  it('that changes another field keeps the vector, byte for byte', async () => {
    const index = await configured();
    await put(`/${index}/_doc/1`, { title: 'one', n: 1 });
    const before = await vectorOf(`/${index}/_doc/1`);
    const answer = await update(`/${index}/_update/1`, { doc: { n: 2 } });
    assert.deepEqual([answer.result, answer.outcome], ['updated', 'ingested; unchanged=1']);
    assert.equal(await vectorOf(`/${index}/_doc/1`), before);
    assert.equal(typeof before, 'string');
  });

  it('that changes nothing stays a noop', async () => {
    const index = await configured();
    await put(`/${index}/_doc/1`, { title: 'one', n: 1 });
    for (const doc of [{ title: 'one' }, { n: 1 }, { title: 'one', n: 1, twinrank_vector: 'AAAA' }]) {
      const answer = await update(`/${index}/_update/1`, { doc });
      assert.deepEqual([answer.result, answer._version], ['noop', 1]);
    }
    await put(`/${index}/_doc/2`, { n: 1 });
    const untitled = await update(`/${index}/_update/2`, { doc: { n: 1, title: null } });
    assert.equal(untitled.result, 'updated');
    const again = await update(`/${index}/_update/2`, { doc: { n: 1, title: null } });
    assert.deepEqual([again.result, again.outcome], ['noop', 'ingested; no_text=1']);
  });

  it('that takes the title away takes the vector out of searches', async () => {
    const index = await configured();
    await put(`/${index}/_doc/1`, { title: 'one' });
    const answer = await update(`/${index}/_update/1?refresh=true`, { doc: { title: null } });
    assert.equal(answer.outcome, 'ingested; no_text=1');
    const found = (await engine.call('POST', `/${index}/_search`, {
      query: { exists: { field: 'twinrank_vector' } },
      docvalue_fields: ['twinrank_vector'],
    })) as { hits: { total: { value: number } } };
    assert.equal(found.hits.total.value, 0);
    await update(`/${index}/_update/1`, { doc: { title: 'back' } });
    await assertVectorOf(`/${index}/_doc/1`, 'back');
  });

  it('of one of two texts goes by both', async () => {
    const index = await configured(['title', 'body']);
    await put(`/${index}/_doc/1`, { title: 't', body: 'b' });
    await update(`/${index}/_update/1`, { doc: { body: 'B' } });
    await assertVectorOf(`/${index}/_doc/1`, 't B');
    await update(`/${index}/_update/1`, { doc: { title: ['T', 'U'] } });
    await assertVectorOf(`/${index}/_doc/1`, 'T U B');
  });

  it('of nested objects and dotted keys goes by what the engine makes of them', async () => {
    const index = await configured(['meta.title']);
    await put(`/${index}/_doc/1`, { meta: { title: 'one', lang: 'en' } });
    const kept = await update(`/${index}/_update/1`, { doc: { meta: { lang: 'de' } } });
    assert.deepEqual([kept.result, kept.outcome], ['updated', 'ingested; unchanged=1']);
    await assertVectorOf(`/${index}/_doc/1`, 'one');
    await update(`/${index}/_update/1`, { doc: { meta: { title: 'two' } } });
    await assertVectorOf(`/${index}/_doc/1`, 'two');
    await put(`/${index}/_doc/2`, '{"meta.title":"flat"}');
    await update(`/${index}/_update/2`, { doc: { 'meta.title': 'flatter' } });
    await assertVectorOf(`/${index}/_doc/2`, 'flatter');
    await put(`/${index}/_doc/3`, { meta: [{ title: 'in a list' }] });
    await update(`/${index}/_update/3`, { doc: { meta: { lang: 'de' } } });
    assert.equal(await vectorOf(`/${index}/_doc/3`), null);
  });

  it('with an upsert writes a whole document, or the change', async () => {
    const index = await configured();
    const body = { upsert: { title: 'new' }, doc: { title: 'changed' } };
    const created = await update(`/${index}/_update/1`, body);
    assert.equal(created.result, 'created');
    await assertVectorOf(`/${index}/_doc/1`, 'new');
    const changed = await update(`/${index}/_update/1`, body);
    assert.equal(changed.result, 'updated');
    await assertVectorOf(`/${index}/_doc/1`, 'changed');
  });

  it('with doc_as_upsert makes the document, in an index that is yet to be made too', async () => {
    const index = await configured(['title', 'body']);
    const body = { doc: { body: 'b' }, doc_as_upsert: true };
    assert.equal((await update(`/${index}/_update/1`, body)).result, 'created');
    await assertVectorOf(`/${index}/_doc/1`, 'b');
    await update(`/${index}/_update/1`, { doc: { title: 't' }, doc_as_upsert: true });
    await assertVectorOf(`/${index}/_doc/1`, 't b');
    const plain = await update(`/${engine.index()}/_update/1`, body);
    assert.deepEqual([plain.result, plain.outcome], ['created', 'ingested; not_configured=1']);
  });

  it('by script leaves the vector as it is', async () => {
    const index = await configured();
    await put(`/${index}/_doc/1`, { title: 'one', n: 1 });
    const before = await vectorOf(`/${index}/_doc/1`);
    const script = { script: { source: 'ctx._source.title = "two"' } };
    const answer = await update(`/${index}/_update/1`, script);
    assert.deepEqual([answer.result, answer.outcome], ['updated', 'ingested; script=1']);
    assert.equal(await vectorOf(`/${index}/_doc/1`), before);
    // The text is the script's, and the vector is made for it.
    const same = await update(`/${index}/_update/1`, { doc: { title: 'two' } });
    assert.equal(same.result, 'updated');
    await assertVectorOf(`/${index}/_doc/1`, 'two');
    const inserted = await update(`/${index}/_update/2`, { ...script, upsert: { title: 'up' } });
    assert.equal(inserted.result, 'created');
    await assertVectorOf(`/${index}/_doc/2`, 'up');
  });

  it('reads where the routing says', async () => {
    const index = engine.index();
    await engine.call('PUT', `/${index}`, { settings: { number_of_shards: 5, number_of_replicas: 0 } });
    await stack.setUp(index, { textFields: ['title', 'body'] });
    for (const routing of ['a b', 'c+d', 'é&f']) {
      const query = `routing=${encodeURIComponent(routing)}`;
      for (const id of ['1', 'a/b', 'é +%'].map(encodeURIComponent)) {
        await put(`/${index}/_doc/${id}?${query}`, { title: 't', body: 'b' });
        await update(`/${index}/_update/${id}?refresh=false&${query}`, { doc: { title: routing } });
        await assertVectorOf(`/${index}/_doc/${id}?${query}`, `${routing} b`);
      }
      // Of a bulk request, the query string's counts where a line names none.
      const lines = `{"update":{"_id":"1"}}\n{"doc":{"title":"bulk ${routing}"}}\n`;
      const answer = await send(stack.sidecar, `/${index}/_bulk?${query}`, lines);
      assert.match(answer.body.toString(), /"errors":false/);
      await assertVectorOf(`/${index}/_doc/1?${query}`, `bulk ${routing} b`);
    }
  });

  it('goes by the index that an alias writes to', async () => {
    const written = await configured(['title', 'body']);
    const alias = `${written}-alias`;
    await engine.call('PUT', `/${written}/_alias/${alias}`);
    await put(`/${written}/_doc/1`, { title: 't', body: 'b' });
    await update(`/${alias}/_update/1?require_alias=true`, { doc: { title: 'T' } });
    await assertVectorOf(`/${written}/_doc/1`, 'T b');
    const newer = engine.index();
    await engine.call('PUT', `/${newer}`);
    await engine.call('POST', '/_aliases', {
      actions: [{ add: { index: written, alias, is_write_index: true } }, { add: { index: newer, alias } }],
    });
    await update(`/${alias}/_update/1`, { doc: { body: 'B' } });
    await assertVectorOf(`/${written}/_doc/1`, 'T B');
  });

  it('of an index named by date is read there', async () => {
    const name = engine.index();
    const today = (await engine.call('PUT', `/${encodeURIComponent(`<${name}-{now/d}>`)}`)) as {
      index: string;
    };
    try {
      await stack.setUp(today.index, { textFields: ['title', 'body'] });
      await put(`/${today.index}/_doc/1`, { title: 't', body: 'b' });
      await update(`/${encodeURIComponent(`<${name}-{now/d}>`)}/_update/1`, { doc: { title: 'T' } });
      await assertVectorOf(`/${today.index}/_doc/1`, 'T b');
    } finally {
      await engine.call('DELETE', `/${today.index}`);
    }
  });

  it("gets the engine's own refusals and answers", async () => {
    const index = await configured();
    await put(`/${index}/_doc/1`, { title: 'one' });
    await put(`/${index}/_doc/2`, { title: 'one' });
    for (const [path, body, status] of [
      [`/${index}/_update/404`, { doc: { title: 'x' } }, 404],
      [`/${index}/_update/404`, { doc: { n: 1 } }, 404],
      [`/${index}/_update/1?if_seq_no=99&if_primary_term=1`, { doc: { title: 'x' } }, 409],
      [`/${index}/_update/1`, { doc: 1 }, 400],
      [`/${index}/_update/1`, {}, 400],
      [`/${index}/_update/1`, '{"doc":{"title":"x"', 400],
      [`/${index}/_update/1?require_alias=true`, { doc: { title: 'x' } }, 404],
    ] as const) {
      const direct = await send(stack.engine, path, body);
      const through = await send(stack.sidecar, path, body);
      assert.equal(direct.status, status, `${path} ${direct.body.toString()}`);
      assert.equal(through.status, status, through.body.toString());
      assert.equal(through.body.toString(), direct.body.toString());
      assert.deepEqual(through.headers['content-type'], direct.headers['content-type']);
    }
    // With all parameters: the same answer but for the place in the history.
    const query = 'refresh=true&retry_on_conflict=2&timeout=5s&wait_for_active_shards=1&_source=title,n';
    const direct = await send(stack.engine, `/${index}/_update/1?${query}`, { doc: { title: 'x', n: 1.5 } });
    const through = await send(stack.sidecar, `/${index}/_update/2?${query}`, {
      doc: { title: 'x', n: 1.5 },
    });
    const plain = (answer: RawResponse): string =>
      answer.body
        .toString()
        .replace(/"_id":"\d"/, '')
        .replaceAll(/"_seq_no":\d+/g, '');
    assert.equal(plain(through), plain(direct));
  });

  it('is compressed and still understood', async () => {
    const index = await configured();
    await put(`/${index}/_doc/1`, { title: 'one' });
    const answer = await rawRequest({
      url: stack.sidecar,
      method: 'POST',
      path: `/${index}/_update/1?filter_path=result`,
      headers: { ...JSON_TYPE, 'accept-encoding': 'gzip' },
      body: '{"doc":{"title":"two"}}',
    });
    assert.equal(answer.status, 200);
    await assertVectorOf(`/${index}/_doc/1`, 'two');
  });

  describe('while others write', () => {
    it('ends with the vector of both texts, whoever was first', async () => {
      const index = await configured(['title', 'body']);
      for (let i = 0; i < 20; i++) {
        const path = `/${index}/_doc/${i}`;
        await put(path, { title: 't', body: 'b' });
        const query = 'retry_on_conflict=5';
        await Promise.all([
          update(`/${index}/_update/${i}?${query}`, { doc: { title: `T${i}` } }),
          update(`/${index}/_update/${i}?${query}`, { doc: { body: `B${i}` } }),
        ]);
        await assertVectorOf(path, `T${i} B${i}`);
      }
    });

    it('ends with a fresh vector however many write, alone and in bulk', async () => {
      const fields = ['title', 'body', 'note'];
      const index = await configured(fields);
      const ids = ['1', '2', '3', '4'];
      for (const id of ids) await put(`/${index}/_doc/${id}`, { title: 't', body: 'b', note: 'n' });
      const writer = async (n: number): Promise<void> => {
        for (let i = 0; i < 6; i++) {
          const doc = { [fields[(n + i) % 3] as string]: `${n}.${i}` };
          if (n % 2 === 0)
            for (const id of ids) await update(`/${index}/_update/${id}?retry_on_conflict=50`, { doc });
          else {
            const lines = ids.map(
              (_id) => `{"update":{"_id":"${_id}","retry_on_conflict":50}}\n${JSON.stringify({ doc })}\n`,
            );
            const answer = await send(stack.sidecar, `/${index}/_bulk`, lines.join(''));
            assert.equal((JSON.parse(answer.body.toString()) as { errors: boolean }).errors, false);
          }
        }
      };
      await Promise.all([0, 1, 2, 3, 4].map(writer));
      for (const id of ids) {
        const path = `/${index}/_doc/${id}`;
        const { _source } = (await engine.call('GET', path)) as { _source: Record<string, string> };
        await assertVectorOf(path, fields.map((field) => _source[field]).join(' '));
      }
    });

    for (const [name, path, body] of [
      ['alone', '_update/1', '{"doc":{"title":"T"}}'],
      ['in bulk', '_bulk', '{"update":{"_id":"1"}}\n{"doc":{"title":"T"}}\n'],
    ] as const)
      it(`${name}, mends its vector before it is answered`, async () => {
        const index = await configured(['title', 'body']);
        await put(`/${index}/_doc/1`, { title: 't', body: 'b' });
        // The other writer comes while the first one's text is with the encoder.
        const between: Encoder = {
          dimensions: stack.encoder.dimensions,
          fingerprint: stack.encoder.fingerprint,
          encode: async (texts, options) => {
            if (texts.includes('T b'))
              await engine.call('POST', `/${index}/_update/1`, { doc: { body: 'B' } });
            return stack.encoder.encode(texts, options);
          },
        };
        const sidecar = await stack.moreSidecar({}, between);
        const answer = await send(sidecar, `/${index}/${path}`, body);
        assert.equal(outcomeOf(answer), 'ingested; vector=1');
        assert.match(answer.body.toString(), /"_version":3,"result":"updated"/);
        await assertVectorOf(`/${index}/_doc/1`, 'T B');
      });

    it('sees what earlier items of its own bulk request have written', async () => {
      const index = await configured(['title', 'body']);
      const body =
        '{"index":{"_id":"1"}}\n{"title":"t","body":"b"}\n' +
        '{"update":{"_id":"1"}}\n{"doc":{"title":"T"}}\n{"update":{"_id":"1"}}\n{"doc":{"body":"B"}}\n';
      const answer = await send(stack.sidecar, `/${index}/_bulk`, body);
      assert.equal((JSON.parse(answer.body.toString()) as { errors: boolean }).errors, false);
      await assertVectorOf(`/${index}/_doc/1`, 'T B');
    });

    it('is refused where it was to be of the version that it names', async () => {
      const index = await configured();
      const created = JSON.parse((await put(`/${index}/_doc/1`, { title: 'one' })).body.toString()) as Answer;
      const path = `/${index}/_update/1?if_seq_no=${created._seq_no}&if_primary_term=${created._primary_term}`;
      await update(path, { doc: { title: 'two' } });
      const late = await send(stack.sidecar, path, { doc: { title: 'three' } });
      assert.equal(late.status, 409);
      await assertVectorOf(`/${index}/_doc/1`, 'two');
    });
  });
});
