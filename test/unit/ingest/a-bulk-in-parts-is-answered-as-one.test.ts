/** A bulk body that becomes several requests: the client sees one reply, with each item's result in its place. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, Wire } from '../http/wire.js';
import {
  bulkOf,
  errorText,
  faultyEngine,
  itemsOf,
  postBulk,
  resultsOf,
  sidecarOver,
  type BulkAnswer,
} from './faulty-engine.js';
import { encoderThat } from './fixtures.js';

const PARTS = { maxPartBytes: 500, retryForMs: 0 };
const titles = (count: number, title = 'word'): string[] => Array.from({ length: count }, () => title);
const ids = (count: number, status: number): string[] =>
  Array.from({ length: count }, (_, i) => `d${i} ${status}`);

describe('a bulk body in parts', () => {
  it('reaches the engine in order, each part with its length, and its replies become one', async () => {
    const engine = await faultyEngine();
    const url = await sidecarOver(engine.url, PARTS);
    const reply = await postBulk(url, bulkOf(titles(40)), '/_bulk?refresh=true');
    const text = await reply.text();
    const answer = JSON.parse(text) as BulkAnswer;
    assert.ok(engine.bodies.length > 5, `${engine.bodies.length} parts`);
    assert.deepEqual(
      engine.bodies.flatMap(itemsOf).map(({ id }) => id),
      Array.from({ length: 40 }, (_, i) => `d${i}`),
    );
    for (const [i, body] of engine.bodies.entries()) {
      assert.ok(body.length <= 500);
      const at = engine.headers[i]?.findIndex((name) => name.toLowerCase() === 'content-length') ?? -1;
      assert.equal(engine.headers[i]?.[at + 1], String(Buffer.byteLength(body)));
    }
    assert.deepEqual(resultsOf(answer), ids(40, 201));
    assert.equal(answer.took, 2 * engine.bodies.length);
    assert.equal(answer.errors, false);
    assert.equal(reply.headers.get('x-twinrank'), 'ingested; vector=40');
    assert.equal(reply.headers.get('content-length'), String(Buffer.byteLength(text)));
    assert.match(
      text,
      /^\{"took":\d+,"errors":false,"items":\[\{"index":\{"_index":"i","_id":"d0","status":201\}\},/,
    );
  });

  it('has rejected items in their places, and no request for a part of nothing else', async () => {
    const engine = await faultyEngine();
    const url = await sidecarOver(engine.url, { ...PARTS, maxPartItems: 2 });
    const which = ['fail', 'fail', 'fail', 'a', 'fail', 'b', 'c', 'fail'];
    const answer = (await (await postBulk(url, bulkOf(which))).json()) as BulkAnswer;
    assert.deepEqual(
      resultsOf(answer),
      which.map((title, i) => `d${i} ${title === 'fail' ? 500 : 201}`),
    );
    assert.equal(answer.errors, true);
    assert.equal(engine.bodies.length, 3);
  });

  it('is refused verbatim and at once where the engine refuses its beginning', async () => {
    for (const status of [400, 401, 403, 429, 503]) {
      const engine = await faultyEngine({
        before: (_request, response) => {
          response.writeHead(status).end('{"error":"in the engine’s words"}');
          return true;
        },
      });
      const url = await sidecarOver(engine.url, PARTS);
      const wire = new Wire(Number(url.port)).write(
        `POST /_bulk HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9999999\r\n\r\n${bulkOf(titles(40))}`,
      );
      // The client is still sending.
      assert.match(await wire.until(/words/), new RegExp(`^HTTP/1.1 ${status} `));
      wire.end();
    }
  });

  it('goes on behind a part that the engine cannot take, whose items say why', async () => {
    const engine = await faultyEngine({
      before: (_request, response, nth) => {
        if (nth !== 2) return false;
        response.writeHead(503).end(errorText(503, 'no master', 'cluster_block_exception'));
        return true;
      },
    });
    const url = await sidecarOver(engine.url, { ...PARTS, maxPartItems: 2 });
    const answer = (await (await postBulk(url, bulkOf(titles(6)))).json()) as BulkAnswer;
    assert.deepEqual(resultsOf(answer), ['d0 201', 'd1 201', 'd2 503', 'd3 503', 'd4 201', 'd5 201']);
    assert.deepEqual(answer.items[2]?.['index']?.error, {
      type: 'cluster_block_exception',
      reason: 'no master',
    });
    assert.equal(answer.errors, true);
  });

  it('asks no more when the engine stops letting the caller write', async () => {
    let requests = 0;
    const engine = await faultyEngine({
      before: (_request, response, nth) => {
        requests++;
        if (nth < 2) return false;
        response.writeHead(403).end(errorText(403, 'no', 'security_exception'));
        return true;
      },
    });
    const url = await sidecarOver(engine.url, { ...PARTS, maxPartItems: 2 });
    const answer = (await (await postBulk(url, bulkOf(titles(8)))).json()) as BulkAnswer;
    assert.deepEqual(resultsOf(answer), [...ids(2, 201), ...ids(8, 403).slice(2)]);
    assert.equal(requests, 2);
  });

  it('with a malformed line far behind says which, and how much was carried out', async () => {
    const engine = await faultyEngine();
    const url = await sidecarOver(engine.url, { ...PARTS, maxPartItems: 2 });
    const reply = await postBulk(
      url,
      `${bulkOf(['a', 'b', 'fail', 'c'])}\nbroken\n${bulkOf(['d'], 'index', 9)}`,
    );
    assert.equal(reply.status, 400);
    const text = await reply.text();
    assert.match(text, /Line 10 of the bulk body: Malformed action\/metadata line, expected START_OBJECT/);
    assert.match(text, /The 3 items before it were carried out already/);
    assert.deepEqual([...engine.writes.keys()], ['d0', 'd1', 'd3']);
  });

  it('holds line ends without number within bounds, and what follows a malformed line too', async () => {
    const engine = await faultyEngine();
    const url = await sidecarOver(engine.url, { ...PARTS, maxPartItems: 10 });
    const answer = await postBulk(url, `${'\n'.repeat(5000)}${bulkOf(['a', 'b'])}${' \r\n'.repeat(5000)}`);
    assert.deepEqual(resultsOf((await answer.json()) as BulkAnswer), ['d0 201', 'd1 201']);
    assert.ok(engine.bodies.every((body) => body.split('\n').length < 20));
    const malformed = await postBulk(url, `broken\n${bulkOf(titles(5000))}`);
    assert.equal(malformed.status, 400);
    assert.ok((engine.bodies.at(-1)?.length ?? 0) < 5_000);
  });

  it('has errors for the items of a part whose reply is not one of as many items', async () => {
    for (const garbage of ['<html>', '{"took":1,"errors":false,"items":[]}', '{"took":1,"errors":true,"items":[1,2]}']) {
      const engine = await faultyEngine({
        before: (_request, response, nth) => {
          if (nth !== 2) return false;
          response.end(garbage);
          return true;
        },
      });
      const url = await sidecarOver(engine.url, { ...PARTS, maxPartItems: 2 });
      const answer = (await (await postBulk(url, bulkOf(titles(6)))).json()) as BulkAnswer;
      assert.deepEqual(resultsOf(answer), ['d0 201', 'd1 201', 'd2 502', 'd3 502', 'd4 201', 'd5 201']);
      assert.match(answer.items[2]?.['index']?.error?.reason ?? '', /may have been written/);
    }
  }); // prettier-ignore

  it('with a malformed line in its first part is refused in the engine’s words, nothing written', async () => {
    const engine = await faultyEngine();
    const url = await sidecarOver(engine.url);
    const reply = await postBulk(url, `${bulkOf(titles(3))}broken\n${bulkOf(titles(3))}`);
    assert.equal(reply.status, 400);
    assert.equal(
      await reply.text(),
      errorText(400, 'Malformed action/metadata line [7], expected START_OBJECT'),
    );
    assert.equal(engine.writes.size, 0);
  });

  it('that is too long for the engine with its vectors goes in halves', async () => {
    const engine = await faultyEngine({ maxBytes: 300 });
    const url = await sidecarOver(engine.url);
    const answer = (await (await postBulk(url, bulkOf(titles(40)))).json()) as BulkAnswer;
    assert.deepEqual(resultsOf(answer), ids(40, 201));
    assert.ok([...engine.writes.values()].every((count) => count === 1));
  });

  it('with an item that alone is too long fails that item only', async () => {
    const engine = await faultyEngine({ maxBytes: 300 });
    const url = await sidecarOver(engine.url);
    const answer = (await (await postBulk(url, bulkOf(['a', 'x'.repeat(400), 'b']))).json()) as BulkAnswer;
    assert.deepEqual(resultsOf(answer), ['d0 201', 'd1 413', 'd2 201']);
    assert.match(String(answer.items[1]?.['index']?.error?.reason), /max_content_length/);
    const alone = await postBulk(url, bulkOf(['x'.repeat(400)]));
    assert.deepEqual([alone.status, await alone.text()], [413, '']);
  });

  it('keeps a filtered reply’s form and loses no rejected item', async () => {
    const filtered = await faultyEngine({
      before: (request, response, nth) => {
        if (nth % 2 === 0) return false;
        request.resume();
        response.end('{"errors":false}');
        return true;
      },
    });
    const url = await sidecarOver(filtered.url, { ...PARTS, maxPartItems: 2 });
    const ask = async (path: string): Promise<string> =>
      (await postBulk(url, bulkOf(['a', 'fail']), path)).text();
    assert.match(await ask('/_bulk?filter_path=errors'), /^\{"errors":true,"items":\[\{"index":\{"_index":"i","_id":"d1","status":500/); // prettier-ignore
    assert.match(await ask('/_bulk?filter_path=items.*.error'), /"_id":"d1","status":500/);
    assert.match(await ask('/_bulk?filter_path=took,it*s.*.error'), /"_id":"d1","status":500/);
    const took = await postBulk(url, bulkOf(['fail', 'a']), '/_bulk?filter_path=took');
    assert.equal(took.headers.get('x-twinrank'), 'ingested; vector=1; rejected=1');
    assert.ok(!(await took.text()).includes('_id":"d0'));
  });

  it('stays in one piece, or is refused before anything is sent, where replies cannot be joined', async () => {
    const engine = await faultyEngine();
    const url = await sidecarOver(engine.url, { ...PARTS, maxUncutBytes: 5000 });
    const whole = await postBulk(url, bulkOf([...titles(9), 'fail']), '/_bulk?format=yaml');
    assert.equal(whole.status, 200);
    assert.equal(engine.bodies.length, 1);
    // Nothing could tell the client of an item that was not written, so it is written without a vector.
    assert.ok(engine.bodies[0]?.endsWith('\n{"title":"fail"}\n'));
    const long = await postBulk(url, bulkOf(titles(100)), '/_bulk', { accept: 'application/yaml' });
    assert.equal(long.status, 413);
    assert.match(await long.text(), /Ask for JSON, or send less at once/);
    assert.equal(engine.bodies.length, 1);
  });

  it('is read while the engine works on what came before, but not much further', async () => {
    let open: (() => void) | undefined;
    const engine = await faultyEngine({
      before: (_request, response, nth) => {
        if (nth !== 1) return false;
        open = () => response.writeHead(503).end();
        return true;
      },
    });
    let encoded = 0;
    const encoder = encoderThat(() => {
      encoded++;
      return Promise.resolve();
    });
    const url = await sidecarOver(
      engine.url,
      { ...PARTS, maxPartItems: 10, maxPartBytes: 100_000, maxPendingItems: 20 },
      encoder,
    );
    const posted = postBulk(url, bulkOf(titles(500)));
    await eventually(() => open !== undefined && encoded >= 20, 'the encoding of the next part');
    await sleep(50);
    assert.ok(encoded <= 60, `${encoded} texts were encoded`);
    open?.();
    assert.equal((await posted).status, 503);
  });

  it('that the client gives up is given up in the engine too', async () => {
    let [begun, broken] = [0, 0];
    const engine = await faultyEngine({
      early: (request) => {
        begun++;
        request.once('close', () => broken++);
        return true;
      },
    });
    const url = await sidecarOver(engine.url, PARTS);
    const wire = new Wire(Number(url.port)).write(
      `POST /_bulk HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9999999\r\n\r\n${bulkOf(titles(40))}`,
    );
    await eventually(() => begun === 1, 'the engine’s request');
    wire.end();
    await eventually(() => broken === 1, 'the end of the engine’s request');
    assert.equal(engine.bodies.length, 0);
  });
});
