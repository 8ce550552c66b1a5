/**
 * Hostile and malformed requests: each gets the engine's own answer or a clear 4xx from us; none stops a service,
 * changes the answer of another caller, or reaches another host.
 */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { startService, type RunningService } from '../../scripts/services.js';
import { HOSTILE_BODIES } from './support/hostile-bodies.js';
import { HOSTILE_FRAMES } from './support/hostile-frames.js';
import {
  canary,
  exchange,
  type Canary,
  type HostileAnswer,
  type HostileRequest,
} from './support/hostile-wire.js';
import { engineFixture, type EngineFixture } from './support/engine.js';
import { startStack, type Stack } from './support/stack.js';

const REQUESTS: readonly HostileRequest[] = [...HOSTILE_FRAMES, ...HOSTILE_BODIES];

describe('hostile requests harm nobody', { concurrency: 1 }, () => {
  const stopping = new AbortController();
  const services: RunningService[] = [];
  const canaries: Canary[] = [];
  let engine: EngineFixture;
  let stack: Stack;
  let decoy: Server;
  let visitors = 0;
  let names: Readonly<Record<string, string>>;

  before(async () => {
    engine = engineFixture();
    decoy = createServer((socket) => {
      visitors++;
      socket.destroy();
    });
    await new Promise<void>((done) => decoy.listen(0, '127.0.0.1', done));
    // The stack sets the index up; the services under attack are processes of their own, which must not end.
    stack = await startStack(engine.url);
    const index = engine.index('hostile');
    await engine.call('PUT', `/${index}`, { settings: { number_of_shards: 1, number_of_replicas: 0 } });
    await stack.setUp(index);
    await engine.call('PUT', `/${index}/_doc/1?refresh=true`, { title: 'red bicycle' });
    await engine.call('PUT', `/${index}/_doc/canary`, { title: 'another bicycle' });
    names = { i: index, decoy: `127.0.0.1:${(decoy.address() as AddressInfo).port}` };
    services.push(
      await startService('rerank', ['--upstream', engine.url, '--budget', '60000'], stopping.signal),
    );
    services.push(await startService('ingest', ['--upstream', engine.url], stopping.signal));
    for (const service of services)
      canaries.push(await canary(new URL(service.url), `/${index}/_doc/canary`));
  });
  after(async () => {
    for (const one of canaries) one.close();
    await Promise.all(services.map((service) => service.stop()));
    await stack.close();
    decoy.close();
    stopping.abort();
    await engine.cleanUp();
  });

  it('there are at least a hundred', () => {
    assert.ok(REQUESTS.length >= 100, String(REQUESTS.length));
  });

  for (const request of REQUESTS) {
    it(request.name, async () => {
      const direct = await exchange(new URL(engine.url), request, names, true);
      for (const [n, service] of services.entries()) {
        const through = await exchange(new URL(service.url), request, names);
        for (const status of through.statuses)
          assert.ok(
            isFit(status, direct, request),
            `${service.url} answered ${through.statuses.join()}, the engine ${direct.statuses.join()}: ${through.text.slice(0, 500)}`,
          );
        if (request.refused === true) {
          assert.deepEqual(
            through.statuses.filter((status) => status < 400),
            [],
            `not refused: ${through.text.slice(0, 500)}`,
          );
          assert.ok(through.closed, 'the connection stayed open after broken framing');
        }
        // Some requests leave the engine itself without a word.
        const engineSpeaks = direct.statuses.length > 0 || direct.closed;
        if (request.abandons !== true && engineSpeaks)
          assert.ok(
            through.statuses.length > 0 || through.closed,
            'neither an answer nor a closed connection',
          );
        await canaries[n]?.sing();
      }
      assert.equal(visitors, 0, 'another host was reached');
    });
  }

  it('the services still run, and search as before', async () => {
    for (const service of services) {
      const answer = await fetch(`${service.adminUrl}/health/live`);
      assert.equal(answer.status, 200);
    }
  });
});

/** The engine's own status, a clear 4xx, or 502 where the engine broke its connection without a word. */
function isFit(status: number, direct: HostileAnswer, request: HostileRequest): boolean {
  if (direct.statuses.includes(status) || status === request.also) return true;
  return (status >= 400 && status < 500) || (status === 502 && direct.statuses.length === 0 && direct.closed);
}
