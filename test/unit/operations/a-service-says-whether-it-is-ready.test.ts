/** Liveness, readiness with reasons, the admin token, and how a service takes its leave. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startReindexAdmin } from '../../../src/cli/reindex-admin.js';
import { createAdminApp } from '../../../src/http/admin-app.js';
import { overloadCheck } from '../../../src/cli/readiness.js';
import { httpUpstream, opened } from '../http/wire.js';
import { createServer } from 'node:http';
import { running, until, type Running } from './running.js';

interface Ready {
  readonly status: number;
  /** Reasons by check; undefined where it is fine. */
  readonly reasons: Readonly<Record<string, string | undefined>>;
}

async function readiness(adminUrl: string): Promise<Ready> {
  const response = await fetch(`${adminUrl}/health/ready`);
  const { checks } = (await response.json()) as { checks: { name: string; ok: boolean; reason?: string }[] };
  const reasons = Object.fromEntries(
    checks.map(({ name, ok, reason }) => [name, ok ? undefined : (reason ?? 'no reason')]),
  );
  return { status: response.status, reasons };
}

describe('a service', () => {
  /** An engine that answers until it is told not to. */
  const engineThat = (isUp: () => boolean = () => true): Promise<URL> =>
    httpUpstream((request, response) => {
      if (!isUp()) return void request.socket.destroy();
      request.resume();
      response.setHeader('content-type', 'application/json').end('{"tagline":"x"}');
    });

  it('is ready once the model is proved, it listens and the engine answers, and says which of it fails', async () => {
    let isUp = true;
    const engine = await engineThat(() => isUp);
    const service = await running('rerank', ['--upstream', engine.href, '--log-level', 'error']);
    try {
      const fine = await readiness(service.adminUrl);
      assert.equal(fine.status, 200, JSON.stringify(fine));
      assert.deepEqual(fine.reasons, {
        service: undefined,
        model: undefined,
        upstream: undefined,
        load: undefined,
      });
      isUp = false;
      const alone = await readiness(service.adminUrl);
      assert.equal(alone.status, 503);
      assert.match(alone.reasons['upstream'] ?? '', /cannot be reached/);
      assert.equal(alone.reasons['model'], undefined);
      assert.equal((await fetch(`${service.adminUrl}/health/live`)).status, 200, 'it lives all the same');
    } finally {
      assert.equal(await service.end(), 0);
    }
  });

  it('goes on serving for the drain delay after readiness has fallen, and sends its clients away', async () => {
    const engine = await engineThat();
    const args = ['--upstream', engine.href, '--drain-delay', '20000', '--log-level', 'error'];
    const service = await running('rerank', args);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      assert.equal((await get(service, agent)).headers.connection, undefined);
      service.signal('SIGTERM');
      const draining = await until(
        () => readiness(service.adminUrl),
        ({ status }) => status === 503,
      );
      assert.match(draining.reasons['service'] ?? '', /shutting down/);
      const answer = await get(service, agent);
      assert.equal(answer.statusCode, 200, 'it still serves');
      assert.equal(answer.headers.connection, 'close');
    } finally {
      agent.destroy();
      assert.equal(await service.end(), 143, 'a second signal ends it at once');
    }
  });
});

function get({ url }: Running, agent: Agent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest(`${url}/`, { agent }, (response) => {
      response.resume().once('end', () => resolve(response));
    })
      .once('error', reject)
      .end();
  });
}

describe('a queue', () => {
  const queueOf = (waiting: number) => () => ({ waiting, limit: 100 });
  it('that is full for long makes the service unready, and with a reason', async () => {
    let now = 0;
    let waiting = 95;
    const check = overloadCheck(
      () => ({ waiting, limit: 100 }),
      5_000,
      () => now,
    );
    assert.equal((await check.check()).ok, true, 'not at once');
    now = 4_999;
    assert.equal((await check.check()).ok, true);
    now = 5_000;
    assert.deepEqual(await check.check(), { ok: false, reason: 'overloaded: 95 of at most 100 wait' });
    waiting = 80;
    assert.equal((await check.check()).ok, true, 'room again');
    waiting = 95;
    now = 9_000;
    assert.equal((await check.check()).ok, true, 'it counts from when it is full again');
    check.stop();
  });

  it('never does where the operator wants that, and one that is not there does not', async () => {
    let now = 0;
    const always = overloadCheck(queueOf(100), 0, () => now);
    const none = overloadCheck(
      () => undefined,
      5_000,
      () => now,
    );
    await Promise.all([always.check(), none.check()]);
    now = 60_000;
    assert.equal((await always.check()).ok, true);
    assert.equal((await none.check()).ok, true);
    always.stop();
    none.stop();
  });
});

describe('the admin token', () => {
  const metrics = (): Promise<{ contentType: string; text: string }> =>
    Promise.resolve({ contentType: 'text/plain', text: 'a_total 1\n' });

  it('guards everything but liveness and readiness', async () => {
    const app = createAdminApp({ checks: [], metrics, token: 'sesame' }, (routes) => {
      routes.get('/more', (_request, response) => void response.end('more'));
    });
    const url = (await opened(createServer(app))).href;
    const status = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
      (await fetch(`${url}${path}`, { headers })).status;
    const right = { authorization: 'Bearer sesame' };
    assert.equal(await status('health/live'), 200);
    assert.equal(await status('health/ready'), 200);
    for (const path of ['metrics', 'more', 'nothing']) {
      assert.equal(await status(path), 401, path);
      assert.equal(await status(path, { authorization: 'Bearer sesam' }), 401, path);
      assert.equal(await status(path, { authorization: 'Basic sesame' }), 401, path);
    }
    assert.equal(await status('metrics', right), 200);
    assert.equal(await status('more', right), 200);
    assert.equal(await status('nothing', right), 404);
  });

  it('guards the metrics of a reindex too', async () => {
    const admin = await startReindexAdmin({ host: '127.0.0.1', port: 0 }, 'sesame', {});
    try {
      const status = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
        (await fetch(`${admin.address}${path}`, { headers })).status;
      assert.equal(await status('/health/live'), 200);
      assert.equal(await status('/metrics'), 401);
      assert.equal(await status('/metrics', { authorization: 'Bearer sesame' }), 200);
    } finally {
      await admin.close();
    }
  });

  describe('of a service', () => {
    let folder: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'twinrank-token-'));
    });
    after(() => rm(folder, { recursive: true, force: true }));

    it('comes from a file or the environment, and never shows in the log', async () => {
      const file = join(folder, 'token');
      await writeFile(file, 'open-sesame\n');
      for (const [args, env] of [
        [['--admin-token-file', file], {}],
        [[], { TWINRANK_ADMIN_TOKEN: 'open-sesame' }],
      ] as const) {
        const service = await running('serve', args, env);
        const metricsUrl = `${service.adminUrl}/metrics`;
        assert.equal((await fetch(metricsUrl)).status, 401);
        const known = await fetch(metricsUrl, { headers: { authorization: 'Bearer open-sesame' } });
        assert.match(await known.text(), /^twinrank_build_info\{version="[^"]+"\} 1$/m);
        assert.equal(await service.end(), 0);
        assert.ok(!service.written().includes('open-sesame'));
      }
    });

    it('is asked for where the admin port is open to others', async () => {
      const service = await running('serve', ['--admin', '0.0.0.0:0']);
      await service.end();
      assert.ok(service.logged().some(({ msg }) => /admin port is open to others/.test(String(msg))));
    });
  });
});
