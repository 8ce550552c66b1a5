/** `twinrank doctor` where the engine has TLS and users: what is refused, and which right is missing. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { startEngine, type Engine } from '../../scripts/engine/engine.js';
import { SECURED_USERS, type Credentials } from '../../scripts/engine/engine-table.js';
import { catalog } from '../../src/cli/catalog.js';
import { doctorCommand } from '../../src/cli/commands/doctor.js';
import { mappingCommand } from '../../src/cli/commands/mapping.js';
import type { Finding } from '../../src/cli/doctor/finding.js';
import { runCommand } from './support/captured-io.js';
import { rawRequest } from './support/raw-request.js';

const { admin, alice } = SECURED_USERS;
const INDEX = 'docs';
const PASSWORD = 'doctor-Secret-1';
const READER_ACTIONS = [
  'indices:admin/mappings/get',
  'indices:monitor/settings/get',
  'indices:admin/aliases/get',
];
const SIMULATE = 'indices:admin/index_template/simulate_index';

const skip =
  (process.env['OPENSEARCH_URL'] ?? '') === ''
    ? false
    : 'OPENSEARCH_URL names an engine, none is started here.';

describe('twinrank doctor on a secured engine', { skip }, () => {
  let engine: Engine;
  let ca: string;
  before(async () => {
    engine = await startEngine({ version: 'secured' });
    ca = await readFile(engine.caFile ?? '', 'utf8');
    const setUp = { to: as(admin), ca: engine.caFile, index: INDEX };
    await runCommand(mappingCommand, setUp, ['apply']);
    await must('PUT', `/${INDEX}/_mapping`, {
      properties: { team: { type: 'keyword' }, title: { type: 'text' } },
    });
    await must('PUT', `/${INDEX}/_doc/1?refresh=true`, { team: 'a', title: 'a title' });
    const index = (actions: readonly string[], more: object = {}): object => ({
      index_patterns: ['*'],
      allowed_actions: actions,
      ...more,
    });
    await addUser('reader', [SIMULATE], index(READER_ACTIONS));
    await addUser(
      'without-settings',
      [SIMULATE],
      index(READER_ACTIONS.filter((action) => !action.includes('settings'))),
    );
    await addUser('searcher', [SIMULATE, 'cluster_composite_ops_ro'], index([...READER_ACTIONS, 'read']));
    await addUser('writer', [SIMULATE, 'cluster_composite_ops'], index([...READER_ACTIONS, 'read', 'write']));
    await addUser(
      'blind',
      ['cluster_composite_ops_ro'],
      index([...READER_ACTIONS, 'read'], { fls: ['~twinrank_vector'] }),
    );
  });
  after(() => (engine as Engine | undefined)?.stop());

  const named = (username: string): Credentials => ({ username, password: PASSWORD });
  function as({ username, password }: Credentials): string {
    const url = new URL(engine.url);
    url.username = username;
    url.password = password;
    return url.href;
  }
  async function must(method: string, path: string, body: object): Promise<void> {
    const authorization = `Basic ${Buffer.from(`${admin.username}:${admin.password}`).toString('base64')}`;
    const headers = { authorization, 'content-type': 'application/json' };
    const answer = await rawRequest({
      url: engine.url,
      ca,
      method,
      path,
      headers,
      body: JSON.stringify(body),
    });
    assert.ok(answer.status < 300, `${path}: ${answer.body.toString()}`);
  }
  async function addUser(name: string, cluster: readonly string[], rights: object): Promise<void> {
    const api = '/_plugins/_security/api';
    await must('PUT', `${api}/roles/${name}`, { cluster_permissions: cluster, index_permissions: [rights] });
    await must('PUT', `${api}/internalusers/${name}`, { password: PASSWORD });
    await must('PUT', `${api}/rolesmapping/${name}`, { users: [name] });
  }
  async function examine(upstream: string, flags: Record<string, unknown> = {}) {
    const all = { upstream, ca: engine.caFile, index: INDEX, 'skip-model': true, json: true, ...flags };
    const { code, stdout, stderr } = await runCommand(doctorCommand(catalog), all);
    assert.doesNotMatch(stdout + stderr, /Secret/);
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    const isBad = ({ check, status }: Finding): boolean =>
      (status === 'warn' || status === 'fail') &&
      !['cores', 'memory', 'search-time', 'vectors'].includes(check);
    const of = (check: string): Finding | undefined => findings.find((finding) => finding.check === check);
    const bad = findings.filter(isBad);
    return { code, findings, of, faults: bad.map(({ check, status }) => `${check} ${status}`) };
  }
  const actions = (findings: readonly Finding[]): unknown[] =>
    findings.flatMap(({ check, data }) =>
      check === 'permissions' && data !== undefined ? [data['action']] : [],
    );

  it('names a certificate that nobody trusts, and warns where any is accepted', async () => {
    const untrusted = await examine(as(admin), { ca: undefined });
    assert.deepEqual([untrusted.code, untrusted.faults], [1, ['tls fail']]);
    assert.match(untrusted.of('tls')?.remedy ?? '', /--ca FILE/);
    const any = await examine(as(admin), { ca: undefined, insecure: true });
    assert.deepEqual([any.faults], [['tls warn']]);
  });

  it('names an address without TLS', async () => {
    const found = await examine(engine.url.replace('https:', 'http:'), { ca: undefined });
    assert.deepEqual([found.code, found.faults], [1, ['engine fail']]);
    assert.match(found.of('engine')?.remedy ?? '', /wants an https: address/);
  });

  it('names credentials that are refused or not given', async () => {
    const wrong = await examine(as({ username: 'admin', password: 'wrong-Secret-1' }));
    assert.deepEqual([wrong.code, wrong.faults], [1, ['credentials fail']]);
    assert.match(wrong.of('credentials')?.message ?? '', /refuses the user and password/);
    const none = await examine(engine.url);
    assert.deepEqual([none.code, none.faults], [1, ['credentials fail']]);
    assert.match(none.of('credentials')?.remedy ?? '', /USER:PASSWORD/);
  });

  it('is content with a user for proxy and sidecar that may read no document', async () => {
    const found = await examine(as(named('reader')));
    assert.deepEqual([found.code, found.faults], [0, []]);
    assert.equal(found.of('vectors')?.status, 'skipped');
    assert.equal(found.of('version')?.status, 'skipped');
    assert.equal(found.of('mapping')?.status, 'ok');
  });

  it('names the right that is missing', async () => {
    const found = await examine(as(named('without-settings')));
    assert.deepEqual([found.code, found.faults], [1, ['permissions fail']]);
    assert.deepEqual(actions(found.findings), ['indices:monitor/settings/get']);
    const nothing = await examine(as(alice));
    assert.equal(nothing.code, 1);
    assert.ok(actions(nothing.findings).includes('indices:admin/mappings/get'));
  });

  it('tells by purpose whose rights are enough', async () => {
    for (const [user, purpose, missing] of [
      ['searcher', 'proxy', false],
      ['searcher', 'reindex', true],
      ['writer', 'reindex', false],
    ] as const) {
      const { findings } = await examine(as(named(user)), { for: [purpose] });
      const isMissing = actions(findings).some((action) => String(action).includes('data/write/bulk'));
      assert.equal(isMissing, missing, `${user} for ${purpose}: ${JSON.stringify(actions(findings))}`);
    }
    const reader = await examine(as(named('reader')), { for: ['reindex'] });
    assert.ok(actions(reader.findings).includes('indices:data/read/search'));
  });

  it('says that field-level security may hide the vector', async () => {
    const found = await examine(as(named('blind')), { for: ['proxy'] });
    assert.deepEqual(found.faults, ['mapping fail']);
    assert.match(found.of('mapping')?.remedy ?? '', /field-level security hides the field/);
  });

  it('counts vectors with the credentials of someone who may read', async () => {
    const found = await examine(as(admin));
    assert.match(found.of('vectors')?.message ?? '', /1 missing/);
  });
});
