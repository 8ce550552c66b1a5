/** The id of a request goes to the engine where we ask in the caller's place, and the caller sees nothing of it. */
import assert from 'node:assert/strict';
import { createServer, request as httpRequest } from 'node:http';
import { describe, it } from 'node:test';
import { opened } from '../unit/http/wire.js';
import { running, until, type Running } from '../unit/operations/running.js';
import { rawRequest, type RawRequest, type RawResponse } from './support/raw-request.js';
import { stackFixture } from './support/stack.js';

interface Seen {
  readonly target: string;
  /** As latin1; undefined where none was sent. */
  readonly opaqueId: string | undefined;
}

/** Stands before the engine and notes what comes. */
async function relayTo(engine: string): Promise<{ readonly url: string; readonly seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const at = request.rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'x-opaque-id');
    const opaqueId = at === -1 ? undefined : request.rawHeaders[at + 1];
    seen.push({ target: request.url ?? '', opaqueId });
    const { method, rawHeaders } = request;
    const forwarded = httpRequest(new URL(request.url ?? '/', engine), {
      method,
      headers: rawHeaders as unknown as string[],
    });
    response.sendDate = false;
    forwarded.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.rawHeaders);
      answer.pipe(response);
    });
    request.pipe(forwarded);
  });
  return { url: (await opened(server)).href, seen };
}

const OURS = /^[0-9a-f]{10}-[0-9a-z]+$/;

describe('a request id', () => {
  const { engine, stack } = stackFixture();

  /** Sends the requests through a service, and gives what the engine got for the index of each. */
  async function through(
    name: 'rerank' | 'ingest',
    requests: readonly Omit<RawRequest, 'url'>[],
    args: readonly string[] = [],
  ): Promise<{
    readonly answers: readonly RawResponse[];
    readonly seen: readonly Seen[];
    readonly service: Running;
  }> {
    const relay = await relayTo(engine.url);
    const service = await running(
      name,
      ['--upstream', relay.url, '--budget', '20000', ...args].filter(onlyFor(name)),
    );
    try {
      const answers: RawResponse[] = [];
      for (const request of requests) answers.push(await rawRequest({ ...request, url: service.url }));
      if (args.length === 0)
        await until(
          () => service.logged().filter(({ msg }) => msg === 'request').length,
          (count) => count === requests.length,
        );
      // What the service asks on its own account is about mappings and settings.
      return { answers, seen: relay.seen.filter(({ target }) => !isOwn(target)), service };
    } finally {
      await service.end();
    }
  }

  it('goes with a search and with writes, and its echo stays with us', async () => {
    const index = engine.index();
    await stack.setUp(index);
    const type = { 'content-type': 'application/json' };
    const written = await through('ingest', [
      { method: 'PUT', path: `/${index}/_doc/1?refresh=true`, headers: type, body: '{"title":"refund"}' },
      {
        method: 'POST',
        path: `/${index}/_bulk?refresh=true`,
        headers: { 'content-type': 'application/x-ndjson' },
        body: '{"index":{"_id":"2"}}\n{"title":"password"}\n',
      },
      { method: 'POST', path: `/${index}/_update/1`, headers: type, body: '{"doc":{"title":"money back"}}' },
    ]);
    const body = JSON.stringify({ query: { match: { title: 'money' } } });
    const searched = await through('rerank', [
      { method: 'POST', path: `/${index}/_search`, headers: type, body },
    ]);
    for (const { answers, seen, service } of [written, searched]) {
      assert.ok(seen.length >= answers.length);
      for (const { target, opaqueId } of seen) assert.match(opaqueId ?? '', OURS, target);
      for (const { status, headers } of answers) {
        assert.ok(status < 300);
        assert.equal(headers['x-opaque-id'], undefined);
      }
      const logged = service
        .logged()
        .filter(({ msg }) => msg === 'request')
        .map(({ id }) => id);
      assert.deepEqual(new Set(seen.map(({ opaqueId }) => opaqueId)), new Set(logged));
    }
    // Nothing else of the answer's head is ours but the header that says what happened.
    const direct = await rawRequest({
      url: engine.url,
      method: 'POST',
      path: `/${index}/_search`,
      headers: type,
      body,
    });
    const names = ({ rawHeaders }: RawResponse): string[] =>
      rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() !== 'connection').sort();
    const [answer] = searched.answers;
    assert.deepEqual(names(answer as RawResponse), [...names(direct), 'x-twinrank'].sort());
  });

  it("of the caller's own keeps its bytes both ways, also beyond ASCII", async () => {
    const index = engine.index();
    await stack.setUp(index);
    const id = Buffer.from('caller é 退款 "x"', 'utf8').toString('latin1');
    const { answers, seen } = await through('rerank', [
      {
        method: 'POST',
        path: `/${index}/_search`,
        headers: { 'content-type': 'application/json', 'X-Opaque-Id': id },
        body: JSON.stringify({ query: { match: { title: 'money' } } }),
      },
    ]);
    assert.deepEqual(
      seen.map(({ opaqueId }) => opaqueId),
      [id],
    );
    const direct = await rawRequest({ url: engine.url, path: '/', headers: { 'X-Opaque-Id': id } });
    assert.equal(answers[0]?.headers['x-opaque-id'], direct.headers['x-opaque-id']);
  });

  it('stays away from what passes through or is left to the engine, and from all where the operator wants that', async () => {
    const index = engine.index();
    await stack.setUp(index);
    const search = (body: object) => ({
      method: 'POST',
      path: `/${index}/_search`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const query = { match: { title: 'money' } };
    const untouched = await through('rerank', [
      { path: '/_cat/indices' },
      search({ query, sort: ['_doc'] }),
      search({ query: { match_all: {} } }),
    ]);
    const off = await through('rerank', [search({ query })], ['--opaque-id', 'false']);
    for (const { seen } of [untouched, off]) {
      assert.ok(seen.length > 0);
      for (const { target, opaqueId } of seen) assert.equal(opaqueId, undefined, target);
    }
  });
});

/** The sidecar has no budget. */
function onlyFor(name: string): (arg: string, i: number, all: readonly string[]) => boolean {
  return (arg, i, all) => name === 'rerank' || (arg !== '--budget' && all[i - 1] !== '--budget');
}

function isOwn(target: string): boolean {
  return /_mapping|_settings|_index_template|_template|_alias|_cluster|^\/$|_resolve|_data_stream/.test(
    target,
  );
}
