/** What doctor makes of facts that a test machine does not have: pure parts, without an engine. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { engineFindings, isUsable, type EngineFacts } from '../../../src/cli/doctor/engine.js';
import { CHECKS, exitCodeOf, headingOf, type Finding, type Status } from '../../../src/cli/doctor/finding.js';
import { createFindingWriter, wantsColour } from '../../../src/cli/doctor/finding-text.js';
import { wilsonInterval } from '../../../src/cli/doctor/interval.js';
import { machineFindings, type MachineFacts } from '../../../src/cli/doctor/machine.js';
import { speedFindings } from '../../../src/cli/doctor/model.js';
import { needsOf, permissionFindings } from '../../../src/cli/doctor/permissions.js';
import type { Reply } from '../../../src/cli/doctor/reply.js';
import { proxySearchFinding, searchTimeFinding } from '../../../src/cli/doctor/searches.js';
import { adminFinding } from '../../../src/cli/doctor/services.js';
import { vectorsFinding, type VectorSample } from '../../../src/cli/doctor/vectors.js';
import { TwinrankError } from '../../../src/errors.js';

const answer = (status: number, body: unknown = {}): Reply => ({
  kind: 'answer',
  answer: { status, body, headers: {} },
  ms: 1,
});
const failure = (message: string): Reply => ({
  kind: 'failure',
  error: new TwinrankError('upstream_unreachable', message),
});
const statuses = (findings: readonly Finding[]): Record<string, Status> =>
  Object.fromEntries(findings.map(({ check, status }) => [check, status]));

const MACHINE: MachineFacts = {
  nodeVersion: '20.19.0',
  neededNode: '>=20.19',
  cores: 4,
  cpu: 'a cpu',
  load: 0.5,
  availableMemory: 4e9,
  strayVariables: [],
};

describe('doctor on the machine', () => {
  const found = (change: Partial<MachineFacts>): Record<string, Status> =>
    statuses(machineFindings({ ...MACHINE, ...change }));

  it('wants the Node that package.json wants', () => {
    for (const version of ['20.19.0', '20.20.1', '22.0.0'])
      assert.equal(found({ nodeVersion: version })['node'], 'ok');
    for (const version of ['20.18.9', '18.99.0'])
      assert.equal(found({ nodeVersion: version })['node'], 'fail');
  });

  it('warns of a busy machine, of little memory and of variables that nothing reads', () => {
    assert.deepEqual(found({}), { node: 'ok', cores: 'ok', memory: 'ok', environment: 'ok' });
    assert.equal(found({ load: 3.9 })['cores'], 'warn');
    assert.equal(found({ availableMemory: 1e8 })['memory'], 'warn');
    assert.equal(
      found({ strayVariables: ['TWINRANK_X is set, but no option reads it.'] })['environment'],
      'warn',
    );
  });
});

describe('doctor on the engine', () => {
  const facts = (change: Partial<EngineFacts>): EngineFacts => ({
    address: 'https://engine:9200',
    isHttps: true,
    isLocal: false,
    insecure: false,
    hasCredentials: true,
    root: answer(200, { version: { number: '2.19.0', distribution: 'opensearch' } }),
    health: answer(200, { status: 'green', number_of_nodes: 3 }),
    clock: answer(200, { nodes: { a: { timestamp: 1_000_000 } } }),
    now: 1_000_500,
    ...change,
  });
  const found = (change: Partial<EngineFacts>): Record<string, Status> =>
    statuses(engineFindings(facts(change)));
  const version = (number: string, distribution?: string): Reply =>
    answer(200, { version: { number, distribution } });

  it('is content with a healthy one', () => {
    assert.ok(Object.values(found({})).every((status) => status === 'ok'));
  });

  it('knows which versions it works with', () => {
    for (const [reply, status] of [
      [version('1.3.0', 'opensearch'), 'ok'],
      [version('3.8.0', 'opensearch'), 'ok'],
      [version('4.0.0', 'opensearch'), 'warn'],
      [version('6.8.23'), 'fail'],
      [version('7.10.2'), 'ok'],
      [version('9.2.0'), 'ok'],
      [version('10.0.0'), 'warn'],
      [answer(200, { hello: 'world' }), 'fail'],
      [answer(403), 'skipped'],
    ] as const)
      assert.equal(found({ root: reply })['version'], status);
  });

  it('tells a certificate from an engine that is away', () => {
    for (const reason of [
      'self-signed certificate in chain',
      "Hostname/IP does not match certificate's altnames",
    ])
      assert.deepEqual(found({ root: failure(reason) }), { tls: 'fail' });
    assert.deepEqual(found({ root: failure('connect ECONNREFUSED') }), { engine: 'fail' });
    assert.deepEqual(found({ root: answer(503) }), { engine: 'fail' });
  });

  it('asks no more where it is not let in', () => {
    for (const hasCredentials of [true, false]) {
      assert.deepEqual(found({ root: answer(401), hasCredentials }), {
        engine: 'ok',
        tls: 'ok',
        credentials: 'fail',
      });
      assert.equal(isUsable(facts({ root: answer(401), hasCredentials })), false);
    }
    assert.equal(isUsable(facts({ root: answer(403) })), true);
  });

  it('warns of a password in the clear, unless it stays on this machine', () => {
    const plain = { isHttps: false };
    assert.equal(found(plain)['tls'], 'warn');
    assert.equal(found({ ...plain, isLocal: true })['tls'], 'ok');
    assert.equal(found({ ...plain, hasCredentials: false })['tls'], 'ok');
    assert.equal(found({ insecure: true })['tls'], 'warn');
  });

  it('takes yellow for what it is on a lone node, and red for a failure', () => {
    const health = (status: string, nodes: number): Reply => answer(200, { status, number_of_nodes: nodes });
    assert.equal(found({ health: health('yellow', 1) })['health'], 'ok');
    assert.equal(found({ health: health('yellow', 2) })['health'], 'warn');
    assert.equal(found({ health: health('red', 1) })['health'], 'fail');
    assert.equal(found({ health: answer(403) })['health'], 'skipped');
  });
});

describe('doctor on rights', () => {
  const refusal = answer(403, { error: { type: 'security_exception', reason: 'no permissions' } });
  const needs = needsOf('docs*', 'docs', 'none', ['reindex']);

  it('tries nothing that writes unless there is an index and a reindex to come', () => {
    const writes = (purpose: 'proxy' | 'reindex', written?: string): number =>
      needsOf('', written, 'none', [purpose]).filter(({ request }) => request.path === '/_bulk').length;
    assert.deepEqual([writes('proxy', 'docs'), writes('reindex'), writes('reindex', 'docs')], [0, 0, 1]);
  });

  it('takes a refusal of the right alone for one', () => {
    const blocked = answer(403, { error: { type: 'cluster_block_exception', reason: 'index read-only' } });
    const absent = answer(200, { errors: true, items: [{ update: { status: 404 } }] });
    const item = answer(200, {
      errors: true,
      items: [{ update: { status: 403, error: { type: 'security_exception' } } }],
    });
    const verdict = (reply: Reply): Status | undefined =>
      permissionFindings(
        needs.map((need) => ({ need, reply })),
        ['reindex'],
      )[0]?.status;
    for (const reply of [blocked, absent, answer(200), answer(404), answer(400)])
      assert.equal(verdict(reply), 'ok');
    assert.equal(verdict(refusal), 'fail');
    assert.equal(verdict(item), 'fail');
    assert.equal(verdict(failure('gone')), 'skipped');
  });

  it('warns of rights whose lack spoils a part only', () => {
    const findings = permissionFindings(
      needsOf('', undefined, '', ['sidecar']).map((need) => ({
        need,
        reply: need.isMinor ? refusal : answer(200),
      })),
      ['sidecar'],
    );
    assert.deepEqual(
      findings.map(({ status }) => status),
      ['warn', 'warn'],
    );
    assert.match(
      findings[1]?.message ?? '',
      /simulate_index is missing \(sidecar\): the write that makes an index/,
    );
  });
});

describe('doctor on vectors', () => {
  const SAMPLE: VectorSample = {
    documents: 10_000,
    sampled: 100,
    fresh: 100,
    noText: 0,
    toRemove: 0,
    unfit: {},
    unreadable: 0,
  };
  const advice = { to: 'http://e:9200', model: undefined };
  const found = (change: Partial<VectorSample>, rate?: number): Finding =>
    vectorsFinding('docs', { ...SAMPLE, ...change }, ['title'], rate, advice);

  it('is content with fresh ones, with documents that have no text, and with none at all', () => {
    for (const change of [{}, { fresh: 90, noText: 10 }, { documents: 0, sampled: 0, fresh: 0 }])
      assert.equal(found(change).status, 'ok');
  });

  it('warns of some and fails for most', () => {
    assert.equal(found({ fresh: 99, unfit: { missing: 1 } }).status, 'warn');
    assert.equal(found({ fresh: 50, unfit: { stale: 50 } }).status, 'warn');
    assert.equal(found({ fresh: 49, unfit: { stale: 51 } }).status, 'fail');
    assert.equal(found({ fresh: 0, unfit: { other_model: 100 } }).status, 'fail');
    assert.equal(found({ fresh: 99, toRemove: 1 }).status, 'warn');
  });

  it('never rounds up to all of them', () => {
    const { message } = found({ sampled: 10_000, fresh: 9_999, unfit: { malformed: 1 } });
    assert.match(message, /^99\.9 % .*9999 fresh, 1 malformed/);
  });

  it('says how long the encoding takes here', () => {
    assert.match(
      found({ fresh: 50, unfit: { missing: 50 } }, 10).remedy ?? '',
      /--index docs \(about 8 min of encoding here\)/,
    );
    assert.match(found({ fresh: 50, unfit: { missing: 50 } }, 0.5).remedy ?? '', /about 2\.8 h/);
    assert.match(found({ fresh: 99, unfit: { missing: 1 } }, 500).remedy ?? '', /about 1 s/);
  });

  it('says nothing of vectors that it cannot see', () => {
    assert.match(found({ fresh: 0, unreadable: 100 }).message, /show no _source/);
    assert.match(found({ fresh: 0, noText: 100 }).message, /No document has a text in "title"/);
  });

  it('has the interval of Wilson', () => {
    const close = (pair: readonly number[], low: number, high: number): boolean =>
      Math.abs((pair[0] ?? 9) - low) < 5e-4 && Math.abs((pair[1] ?? 9) - high) < 5e-4;
    assert.ok(close(wilsonInterval(8, 10), 0.4902, 0.9433));
    assert.ok(close(wilsonInterval(0, 20), 0, 0.1611));
    assert.deepEqual(wilsonInterval(0, 0), [0, 1]);
    assert.equal(wilsonInterval(20, 20)[1], 1);
  });
});

describe('doctor on times', () => {
  it('holds the encoding of a query to the budget', () => {
    const verdict = (p50Ms: number, p95Ms: number): Status | undefined =>
      speedFindings({ titlesPerSecond: 100, p50Ms, p95Ms }, 150)[1]?.status;
    assert.deepEqual(
      [verdict(10, 20), verdict(50, 76), verdict(100, 150), verdict(151, 400)],
      ['ok', 'warn', 'warn', 'fail'],
    );
  });

  it('warns where reading the window is what takes the time', () => {
    const verdict = (window: number): Status =>
      searchTimeFinding('docs', { page: [5], window: [window], windowSize: 100 }).status;
    assert.deepEqual([verdict(20), verdict(200)], ['ok', 'warn']);
  });

  it('names the reasons for which searches were left alone, and what to do', () => {
    const search = (outcome: string | undefined, status = 200) => ({ ms: 10, status, outcome });
    const applied = search('applied; window=100; scored=98; encode=9.1ms; score=0.6ms');
    const verdict = (...searches: ReturnType<typeof search>[]): Finding =>
      proxySearchFinding('docs', searches, 5);
    assert.equal(verdict(applied, search('shadow; window=100; correlation=0.4')).status, 'ok');
    const some = verdict(applied, search('skipped; reason=encode_timeout'));
    assert.equal(some.status, 'warn');
    assert.match(some.message, /^1 of 2 searches were reranked, 1 were left as they are \(encode_timeout\)/);
    assert.match(
      verdict(search('skipped; reason=settings_unavailable')).remedy ?? '',
      /credentials that may read mappings/,
    );
    assert.match(verdict(search('skipped; reason=format')).remedy ?? '', /docs\/searching\.md/);
    assert.equal(verdict(search(undefined)).status, 'fail');
    assert.equal(verdict(search(undefined, 401)).status, 'warn');
    assert.equal(verdict(search(undefined, 502)).status, 'fail');
  });
});

describe('doctor on services', () => {
  it('hands on why one is not ready', () => {
    const body = {
      status: 'not ready',
      checks: [
        { name: 'model', ok: false, reason: 'the model is loading' },
        { name: 'upstream', ok: true },
      ],
    };
    assert.match(
      adminFinding('proxy', 'http://p', answer(503, body)).message,
      /not ready: model: the model is loading\.$/,
    );
    assert.equal(adminFinding('proxy', 'http://p', answer(200)).status, 'ok');
    assert.match(adminFinding('sidecar', 'http://p', answer(404)).message, /not the admin port/);
  });
});

describe('findings', () => {
  const finding = (status: Status, message = 'm'): Finding => ({ check: 'node', status, message });
  const written = (inColour: boolean, ...findings: Finding[]): string => {
    let text = '';
    const writer = createFindingWriter((part) => (text += part), inColour);
    for (const one of findings) writer.finding(one);
    writer.end(findings);
    return text;
  };

  it('decide about the exit code', () => {
    assert.equal(exitCodeOf([finding('ok'), finding('skipped')], true), 0);
    assert.equal(exitCodeOf([finding('warn')], false), 0);
    assert.equal(exitCodeOf([finding('warn')], true), 1);
    assert.equal(exitCodeOf([finding('ok'), finding('fail')], false), 1);
  });

  it('are in colours on a terminal alone, and not with NO_COLOR', () => {
    assert.deepEqual(
      [
        wantsColour(true, undefined),
        wantsColour(true, ''),
        wantsColour(true, '1'),
        wantsColour(false, undefined),
      ],
      [true, true, false, false],
    );
    const escape = String.fromCharCode(27);
    assert.ok(written(true, finding('fail')).includes(`${escape}[31mFAIL${escape}[0m`));
    assert.ok(!written(false, finding('fail'), finding('warn')).includes(escape));
  });

  it('cannot act on the terminal by what an engine says', () => {
    assert.ok(written(false, finding('ok', `a${String.fromCharCode(27)}[2Jb\nc`)).includes('a?[2Jb?c'));
  });

  it('have a heading each', () => {
    const names = Object.values(CHECKS).flat();
    assert.equal(new Set(names).size, names.length);
    for (const [heading, checks] of Object.entries(CHECKS))
      for (const check of checks) assert.equal(headingOf(check), heading);
  });
});
