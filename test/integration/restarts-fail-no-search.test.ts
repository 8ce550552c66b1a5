/** Real proxies that are restarted one after the other, and one whose inference worker crashes: no search fails. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startService, WORKER_FAULTS, type RunningService } from '../../scripts/services.js';
import { metricsOf } from '../../scripts/soak/exposition.js';
import { until } from '../unit/operations/running.js';
import { startBalancer } from './support/balancer.js';
import { rawRequest, type RawResponse } from './support/raw-request.js';
import { stackFixture } from './support/stack.js';

const NEVER = new AbortController().signal;
const CLIENTS = 4;

interface Searched {
  count: number;
  readonly failures: string[];
  /** How often each beginning of the `x-twinrank` header came. */
  readonly outcomes: Map<string, number>;
}

/** Searches without a pause while the work goes on. */
async function searching(url: string, index: string, work: () => Promise<void>): Promise<Searched> {
  const seen: Searched = { count: 0, failures: [], outcomes: new Map() };
  let goesOn = true;
  const client = async (name: number): Promise<void> => {
    for (let i = 0; goesOn; i++) {
      const title = `refund ${name} ${i}`;
      try {
        note(seen, await search(url, index, title));
      } catch (error) {
        seen.failures.push(String(error));
      }
    }
  };
  const clients = Array.from({ length: CLIENTS }, (_, name) => client(name));
  try {
    await work();
  } finally {
    goesOn = false;
    await Promise.all(clients);
  }
  return seen;
}

function search(url: string, index: string, title: string): Promise<RawResponse> {
  return rawRequest({
    url,
    method: 'POST',
    path: `/${index}/_search`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: { match: { title } } }),
  });
}

function note(seen: Searched, { status, headers, body }: RawResponse): void {
  seen.count++;
  const text = body.toString('utf8');
  if (status !== 200 || !text.includes('"hits":[{')) seen.failures.push(`${status} ${text.slice(0, 300)}`);
  const outcome = String(headers['x-twinrank']).split('; ').slice(0, 2).join('; ');
  seen.outcomes.set(outcome, (seen.outcomes.get(outcome) ?? 0) + 1);
}

describe('no search fails', () => {
  const { engine, stack } = stackFixture();
  let index: string;
  const services: RunningService[] = [];
  const start = async (args: readonly string[], preload?: string): Promise<RunningService> => {
    const all = ['--upstream', engine.url, '--workers', '1', '--threads-per-worker', '1', ...args];
    const service = await startService('rerank', all, NEVER, 'inherit', preload);
    services.push(service);
    return service;
  };
  before(async () => {
    index = engine.index();
    await stack.setUp(index);
    const lines = Array.from(
      { length: 20 },
      (_, i) => `{"index":{"_id":"${i}"}}\n{"title":"refund number ${i}"}\n`,
    );
    await rawRequest({
      url: stack.sidecar,
      method: 'POST',
      path: `/${index}/_bulk?refresh=true`,
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.join(''),
    });
  });
  after(() => Promise.all(services.map((service) => service.stop())));

  it('while two proxies behind a balancer are restarted in turn', async () => {
    // Longer than a crowded machine needs to look at readiness.
    const args = ['--drain-delay', '2000', '--grace', '10000', '--budget', '10000'];
    const balancer = await startBalancer();
    let old: RunningService[] = [];
    try {
      old = await Promise.all([start(args), start(args)]);
      for (const proxy of old) balancer.add(proxy);
      await until(() => old.every((proxy) => balancer.isUsed(proxy)), Boolean);
      const seen = await searching(balancer.url, index, async () => {
        for (const proxy of old) {
          await until(
            () => balancer.served.get(proxy.url) ?? 0,
            (count) => count > 10,
            60_000,
          );
          process.kill(proxy.pid, 'SIGTERM');
          assert.equal(await proxy.ended, 0, 'it ended by itself');
          balancer.remove(proxy);
          const next = await start(args);
          balancer.add(next);
          await until(
            () => balancer.served.get(next.url) ?? 0,
            (count) => count > 10,
            60_000,
          );
        }
      });
      assert.deepEqual(seen.failures, []);
      assert.deepEqual([...seen.outcomes.keys()], ['applied; window=100']);
      assert.equal(balancer.served.size, 4);
    } finally {
      await balancer.close();
    }
  });

  it('while an inference worker crashes; it is replaced, and searches are reranked again', async () => {
    const proxy = await start(['--budget', '300'], WORKER_FAULTS);
    const value = async (name: string): Promise<number> =>
      (await metricsOf(proxy.adminUrl)).values.get(name) ?? Number.NaN;
    const restarts = (): Promise<number> => value('twinrank_encoder_worker_restarts_total');
    const workers = (): Promise<number> => value('twinrank_encoder_workers');
    const seen = await searching(proxy.url, index, async () => {
      for (const crashes of [1, 2]) {
        await until(workers, (count) => count === 1, 60_000);
        process.kill(proxy.pid, 'SIGUSR2');
        await until(restarts, (count) => count === crashes, 60_000);
      }
    });
    assert.deepEqual(seen.failures, []);
    await until(
      async () =>
        String((await search(proxy.url, index, `refund again ${Math.random()}`)).headers['x-twinrank']),
      (header) => header.startsWith('applied'),
      60_000,
    );
    assert.equal(await restarts(), 2);
  });
});
