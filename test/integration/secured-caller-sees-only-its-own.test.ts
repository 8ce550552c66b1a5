/**
 * A secured OpenSearch behind the proxy: TLS, users, document- and field-level security. The engine is started here.
 * alice may read the documents of team a, bob those of team b, neither a salary, and nothing but documents.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startEngine, type Engine } from '../../scripts/engine/engine.js';
import { SECURED_USERS, type Credentials } from '../../scripts/engine/engine-table.js';
import { mappingCommand } from '../../src/cli/commands/mapping.js';
import { mappingBody, type IndexSettings } from '../../src/search-engine/mapping-meta.js';
import { hashText, readHeader } from '../../src/search-engine/vector-payload.js';
import { answerText } from './support/answer-text.js';
import { runCommand } from './support/captured-io.js';
import { rawRequest, type RawResponse } from './support/raw-request.js';
import { startWatched, type WatchedService } from './support/watched-service.js';

const { admin, alice, bob } = SECURED_USERS;
const QUERY = 'I do not remember my password';
const INDEX = 'docs';
const HIDDEN_INDEX = 'payroll';
const ABSENT_INDEX = 'no-such-index';
const DOCUMENTS = {
  a1: { team: 'a', title: 'Password manager for phones', note: 'password', salary: 111_001 },
  a2: { team: 'a', title: 'I forgot my password and cannot sign in', note: 'password help', salary: 111_002 },
  b1: { team: 'b', title: 'My password is not remembered by the browser', note: 'password', salary: 222_001 },
  b2: { team: 'b', title: 'Wireless network password', note: 'password list', salary: 222_002 },
  c1: { team: 'c', title: 'I do not remember my password at all', note: 'password', salary: 333_001 },
} as const;
const THEIRS = ['a1', 'a2'];
/** Words that only documents of other teams have, and what no log may hold. */
const OF_OTHERS = /browser|Wireless|at all|222_?00|333_?00|"team":"[bc]"|"_id":"[bc]\d"/;
/** The proxy's own user: it may read mappings and settings, and no document. */
const READER = { username: 'mapping-reader', password: 'reader-Secret-1' };
const READER_ACTIONS = ['indices:admin/mappings/get', 'indices:monitor/settings/get'];
const SECRETS = [admin, alice, bob, READER].flatMap(({ username, password }) => [
  password,
  Buffer.from(`${username}:${password}`).toString('base64'),
]);
/** They see team a, but not the field in their name. */
const BLIND_USERS = {
  'no-vector': ['~twinrank_vector'],
  'no-title': ['~title'],
  neither: ['~title', '~twinrank_vector'],
} as const;
const BLIND_PASSWORD = 'blind-Secret-1';

const skip =
  (process.env['OPENSEARCH_URL'] ?? '') === ''
    ? false
    : 'OPENSEARCH_URL names an engine, none is started here.';

interface Found {
  readonly hits: {
    readonly total: { readonly value: number };
    readonly max_score: number | null;
    readonly hits: readonly { readonly _id: string; readonly _score: number; readonly _source?: object }[];
  };
}

describe('a caller of a secured engine', { skip }, () => {
  let engine: Engine;
  let ca: string;
  const services: WatchedService[] = [];
  let proxy: string;
  let sidecar: string;

  before(async () => {
    engine = await startEngine({ version: 'secured' });
    ca = await readFile(engine.caFile ?? '', 'utf8');
    await addUser(READER, { index_patterns: ['*'], allowed_actions: READER_ACTIONS });
    sidecar = await start('ingest', admin);
    proxy = await start('rerank', READER);
    for (const index of [INDEX, HIDDEN_INDEX]) {
      const setUp = { to: addressWith(admin), ca: engine.caFile, index };
      await runCommand(mappingCommand, setUp, ['apply']);
    }
    await must('PUT', `/${INDEX}/_mapping`, {
      properties: { team: { type: 'keyword' }, title: { type: 'text' }, note: { type: 'text' } },
    });
    for (const [id, document] of Object.entries(DOCUMENTS)) {
      for (const index of [INDEX, HIDDEN_INDEX]) {
        const written = await ask(sidecar, admin, 'PUT', `/${index}/_doc/${id}?refresh=true`, document);
        assert.equal(written.status, 201, written.body.toString());
        assert.equal(written.headers['x-twinrank'], 'ingested; vector=1');
      }
    }
    for (const [name, fls] of Object.entries(BLIND_USERS)) {
      const reads = { index_patterns: [INDEX], dls: '{"term":{"team":"a"}}', fls, allowed_actions: ['read'] };
      await addUser({ username: name, password: BLIND_PASSWORD }, reads);
    }
  });
  after(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await (engine as Engine | undefined)?.stop();
  });

  /** A service with the operator's own credentials in its upstream address, or with none. */
  async function start(
    name: 'ingest' | 'rerank',
    own?: Credentials,
    more: readonly string[] = [],
  ): Promise<string> {
    const trust = own === undefined ? ['--insecure'] : ['--ca', engine.caFile ?? ''];
    // A cold, shared test machine must not turn a slow encode into another order.
    const patience = name === 'rerank' ? ['--budget', '60000'] : [];
    const upstream = own === undefined ? engine.url : addressWith(own);
    const service = await startWatched(name, upstream, [
      ...trust,
      ...patience,
      ...more,
      '--log-level',
      'debug',
    ]);
    services.push(service);
    return service.url;
  }
  function addressWith({ username, password }: Credentials): string {
    const url = new URL(engine.url);
    url.username = username;
    url.password = password;
    return url.href;
  }
  async function addUser(
    { username, password }: Credentials,
    rights: object,
    clusterRights = 'cluster_composite_ops_ro',
  ): Promise<void> {
    const api = '/_plugins/_security/api';
    const role = { cluster_permissions: [clusterRights], index_permissions: [rights] };
    await must('PUT', `${api}/roles/${username}`, role);
    await must('PUT', `${api}/internalusers/${username}`, { password });
    await must('PUT', `${api}/rolesmapping/${username}`, { users: [username] });
  }
  function ask(
    url: string,
    who: Credentials | undefined,
    method: string,
    path: string,
    body?: object,
  ): Promise<RawResponse> {
    const pair = who === undefined ? '' : Buffer.from(`${who.username}:${who.password}`).toString('base64');
    return rawRequest({
      url,
      ca,
      method,
      path,
      headers: {
        ...(who === undefined ? {} : { authorization: `Basic ${pair}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
  async function must(method: string, path: string, body: object): Promise<void> {
    const answer = await ask(engine.url, admin, method, path, body);
    assert.ok(answer.status < 300, `${path}: ${answer.body.toString()}`);
  }
  const search = (
    url: string,
    who: Credentials | undefined,
    wishes: object = {},
    index: string = INDEX,
  ): Promise<RawResponse> =>
    ask(url, who, 'POST', `/${index}/_search`, { query: { match: { title: QUERY } }, ...wishes });
  const found = (answer: RawResponse): Found['hits'] => {
    assert.equal(answer.status, 200, answer.body.toString());
    return (JSON.parse(answer.body.toString()) as Found).hits;
  };
  const ids = (answer: RawResponse): string[] => found(answer).hits.map((hit) => hit._id);
  const outcome = (answer: RawResponse): string => String(answer.headers['x-twinrank']);
  /** Everything of an answer that is not a time or a length that follows from one. */
  const lasting = (answer: RawResponse): string => {
    // Our own connection to the client ends with the answer where the client wants it so; the engine's may not.
    const headers = answer.rawHeaders
      .join('\n')
      .replace(/\n?content-length\n\d+/i, '')
      .replace(/\n?connection\nclose/i, '');
    return `${answer.status}\n${headers}\n${answer.body.toString()}`
      .replaceAll(/"took":\d+/g, '')
      .replaceAll(/[\d.]+ms/g, '');
  };

  it('is helped by a proxy whose own user may read no document', async () => {
    assert.equal((await search(engine.url, READER)).status, 403);
    assert.equal((await search(proxy, READER)).status, 403);
  });

  it('finds exactly its own documents, in the order of the model', async () => {
    const direct = await search(engine.url, alice);
    const answer = await search(proxy, alice);
    assert.match(outcome(answer), /^applied; window=100; scored=2; encode=[\d.]+ms; score=[\d.]+ms$/);
    assert.deepEqual(ids(answer), ['a2', 'a1']);
    const { total, max_score, hits } = found(answer);
    assert.equal(total.value, 2);
    assert.equal(max_score, hits[0]?._score);
    assert.ok(hits.every(({ _score }) => _score > 0 && _score < 1));
    const [ours, theirs] = [answerText(answer.body), answerText(direct.body)];
    assert.equal(ours.around, theirs.around);
    assert.deepEqual([...ours.hits].sort(), [...theirs.hits].sort());
  });

  it('sees nothing of the others, nor a field that it may not see', async () => {
    for (const wishes of [
      {},
      { size: 1 },
      { from: 1, size: 5 },
      { _source: false },
      { _source: ['title', 'salary'] },
      { docvalue_fields: ['salary'], fields: ['salary', 'title'] },
      { explain: true },
      { aggs: { teams: { terms: { field: 'team' } }, pay: { max: { field: 'salary' } } } },
      { highlight: { fields: { title: {} } } },
    ]) {
      const answer = await search(proxy, alice, wishes);
      const label = JSON.stringify(wishes);
      assert.match(outcome(answer), /^applied; window=100; scored=2; /, label);
      assert.equal(found(answer).total.value, 2, label);
      assert.ok(
        ids(answer).every((id) => THEIRS.includes(id)),
        label,
      );
      assert.doesNotMatch(lasting(answer), OF_OTHERS, label);
      assert.doesNotMatch(answer.body.toString(), /"salary":|11100\d/, label);
    }
  });

  it('gets the same answer whoever has asked before', async () => {
    const aliceFirst = await start('rerank', READER);
    const bobFirst = await start('rerank', READER);
    const before = await search(aliceFirst, alice);
    const bobBefore = await search(bobFirst, bob);
    const bobAfter = await search(aliceFirst, bob);
    const later = await search(bobFirst, alice);
    assert.deepEqual(ids(bobBefore).sort(), ['b1', 'b2']);
    assert.equal(lasting(bobAfter), lasting(bobBefore));
    assert.equal(lasting(later), lasting(before));
    assert.equal(lasting(await search(aliceFirst, alice)), lasting(before));
    // Nor does one who may see everything leave anything behind.
    assert.equal(found(await search(bobFirst, admin)).total.value, 5);
    assert.equal(lasting(await search(bobFirst, alice)), lasting(before));
  });

  it("is refused by the engine in the engine's own words", async () => {
    for (const path of ['/', `/${INDEX}/_mapping`, '/_cluster/health', `/${HIDDEN_INDEX}/_doc/c1`]) {
      const direct = await ask(engine.url, alice, 'GET', path);
      const through = await ask(proxy, alice, 'GET', path);
      assert.equal(direct.status, 403, path);
      assert.equal(lasting(through), lasting(direct), path);
    }
    const wrong = { username: 'alice', password: 'not-her-password' };
    for (const who of [wrong, { username: 'nobody', password: 'x' }, undefined]) {
      const direct = await search(engine.url, who);
      const through = await search(proxy, who);
      assert.equal(direct.status, 401);
      assert.equal(through.status, 401);
      assert.deepEqual(through.body, direct.body);
      assert.equal(through.headers['www-authenticate'], direct.headers['www-authenticate']);
    }
  });

  it('cannot tell an index that it may not read from one that is not there', async () => {
    for (const wishes of [{}, { from: 500 }, { sort: ['salary'] }]) {
      const hidden = await search(proxy, alice, wishes, HIDDEN_INDEX);
      const absent = await search(proxy, alice, wishes, ABSENT_INDEX);
      assert.equal(hidden.status, 403);
      assert.equal(absent.status, 403);
      assert.equal(outcome(hidden), outcome(absent), JSON.stringify(wishes));
      assert.doesNotMatch(lasting(hidden), OF_OTHERS);
    }
  });

  it('learns no more from many searches in one request', async () => {
    const many = (url: string, ...indices: readonly string[]): Promise<RawResponse> => {
      const query = JSON.stringify({ query: { match: { title: QUERY } } });
      const body = indices.map((index) => `${JSON.stringify({ index })}\n${query}\n`).join('');
      const pair = Buffer.from(`${alice.username}:${alice.password}`).toString('base64');
      const headers = { authorization: `Basic ${pair}`, 'content-type': 'application/x-ndjson' };
      return rawRequest({ url, ca, method: 'POST', path: '/_msearch', headers, body });
    };
    const hidden = await many(proxy, INDEX, HIDDEN_INDEX);
    const absent = await many(proxy, INDEX, ABSENT_INDEX);
    assert.equal(lasting(hidden), lasting(absent));
    assert.doesNotMatch(lasting(hidden), OF_OTHERS);
    const [first, second] = (
      JSON.parse(hidden.body.toString()) as { responses: (Found & { status: number })[] }
    ).responses;
    assert.deepEqual(first?.hits.hits.map((hit) => hit._id).sort(), THEIRS);
    assert.equal(second?.status, 403);
  });

  it('is served by the engine alone where the proxy has no credentials of its own', async () => {
    const without = await start('rerank');
    for (const who of [alice, bob, admin]) {
      const direct = await search(engine.url, who);
      const through = await search(without, who);
      assert.equal(outcome(through), 'skipped; reason=settings_unavailable');
      const withoutOurs = lasting(through).replace(/\nx-twinrank\n[^\n]+/i, '');
      assert.equal(withoutOurs, lasting(direct));
    }
  });

  describe('whose settings are assumed, since the proxy has no credentials', () => {
    const block = async (change: object): Promise<string> => {
      const shown = await runCommand(
        mappingCommand,
        { to: addressWith(admin), ca: engine.caFile, index: INDEX, json: true },
        ['show'],
      );
      const settings = (JSON.parse(shown.stdout) as Record<string, IndexSettings>)[INDEX];
      assert.ok(settings !== undefined);
      const { _meta } = mappingBody({ ...settings, ...change });
      const file = join(folder, `${JSON.stringify(change).replaceAll(/\W/g, '')}.json`);
      await writeFile(file, JSON.stringify(_meta['twinrank']));
      return file;
    };
    let folder: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'twinrank-assumed-'));
    });
    after(() => rm(folder, { recursive: true, force: true }));

    it('gets its own documents, reranked', async () => {
      const assuming = await start('rerank', undefined, ['--assume-settings', await block({})]);
      const answer = await search(assuming, alice);
      assert.match(outcome(answer), /^applied; window=100; scored=2; /);
      assert.equal(ids(answer)[0], 'a2');
      assert.deepEqual(ids(answer).sort(), THEIRS);
      assert.doesNotMatch(answer.body.toString(), OF_OTHERS);
    });

    it('is not harmed by a wrong assumption', async () => {
      const assuming = await start('rerank', undefined, [
        '--assume-settings',
        await block({ textFields: ['note'] }),
        '--encode-now',
        '0',
      ]);
      const answer = await search(assuming, alice);
      assert.equal(outcome(answer), 'skipped; reason=no_vectors');
      assert.deepEqual(ids(answer), ids(await search(engine.url, alice)));
    });
  });

  describe('who may not see every field', () => {
    const blind = (name: keyof typeof BLIND_USERS): Credentials => ({
      username: name,
      password: BLIND_PASSWORD,
    });
    const byNote = { query: { match: { note: QUERY } } };

    it('gets no order from a title that is hidden, however good its vector', async () => {
      const direct = await search(engine.url, blind('no-title'), byNote);
      const through = await search(proxy, blind('no-title'), byNote);
      assert.equal(outcome(through), 'skipped; reason=no_vectors');
      assert.deepEqual(ids(through), ids(direct));
      assert.deepEqual(
        found(through).hits.map((hit) => hit._score),
        found(direct).hits.map((hit) => hit._score),
      );
    });

    it('gets the order of the vector that it may read, where it wants no text to compare with', async () => {
      const through = await search(proxy, blind('no-title'), { ...byNote, _source: false });
      assert.match(outcome(through), /^applied; window=100; scored=2; /);
      assert.doesNotMatch(through.body.toString(), /forgot|manager/);
    });

    it('gets none either where title and vector are hidden, whatever part of the documents it asks for', async () => {
      for (const wishes of [{}, { _source: false }, { _source: ['note'] }]) {
        const direct = await search(engine.url, blind('neither'), { ...byNote, ...wishes });
        const through = await search(proxy, blind('neither'), { ...byNote, ...wishes });
        assert.equal(outcome(through), 'skipped; reason=no_vectors');
        assert.deepEqual(answerText(through.body), answerText(direct.body));
      }
    });

    it('is helped by the title alone where only the vector is hidden', async () => {
      const direct = await search(engine.url, blind('no-vector'));
      const through = await search(proxy, blind('no-vector'));
      assert.match(outcome(through), /^skipped; reason=no_vectors$|^applied; .*encoded_now=2/);
      assert.deepEqual(ids(through).sort(), ids(direct).sort());
      assert.doesNotMatch(through.body.toString(), /twinrank_vector/);
    });
  });

  describe('who updates', () => {
    const password = BLIND_PASSWORD;
    const editor = { username: 'editor', password };
    const blindWriter = { username: 'blind-writer', password };
    const EDITED = 'docs-edited';
    const writes = ['indices:data/write/update', 'indices:data/write/index', 'indices:data/write/bulk*'];
    before(async () => {
      const setUp = { to: addressWith(admin), ca: engine.caFile, index: EDITED };
      await runCommand(mappingCommand, { ...setUp, text: ['title', 'note'] }, ['apply']);
      await must('PUT', `/${EDITED}/_mapping`, {
        properties: { title: { type: 'text' }, note: { type: 'text' } },
      });
      await addUser(
        editor,
        { index_patterns: [EDITED], allowed_actions: [...writes, 'read'] },
        'cluster_composite_ops',
      );
      await addUser(
        blindWriter,
        { index_patterns: [EDITED], allowed_actions: writes },
        'cluster_composite_ops',
      );
    });
    const put = (document: object): Promise<void> =>
      ask(sidecar, admin, 'PUT', `/${EDITED}/_doc/1`, document).then((answer) => {
        assert.match(outcome(answer), /^ingested; vector=1$/);
      });
    const update = (url: string, who: Credentials, doc: object): Promise<RawResponse> =>
      ask(url, who, 'POST', `/${EDITED}/_update/1`, { doc });
    async function storedHash(): Promise<string | undefined> {
      const answer = await ask(engine.url, admin, 'GET', `/${EDITED}/_doc/1`);
      const { _source } = JSON.parse(answer.body.toString()) as { _source: Record<string, unknown> };
      const stored = _source['twinrank_vector'];
      return typeof stored === 'string' ? readHeader(Buffer.from(stored, 'base64'))?.textHash : undefined;
    }

    it('gets the vector of both texts where it may read them', async () => {
      await put({ title: 't', note: 'n' });
      const answer = await update(sidecar, editor, { note: 'N' });
      assert.equal(outcome(answer), 'ingested; vector=1');
      assert.equal(await storedHash(), hashText('t N'));
    });

    it('gets no vector from a text that it may not read, but one for a text that is all its own', async () => {
      await put({ title: 't', note: 'n' });
      const part = await update(sidecar, blindWriter, { note: 'N' });
      assert.equal(part.status, 200, part.body.toString());
      assert.equal(outcome(part), 'ingested; unread=1');
      assert.equal(await storedHash(), undefined);
      const whole = await update(sidecar, blindWriter, { title: 'T', note: 'N' });
      assert.equal(outcome(whole), 'ingested; vector=1');
      assert.equal(await storedHash(), hashText('T N'));
    });

    it('is refused as by the engine where it may only read', async () => {
      const direct = await update(engine.url, alice, { note: 'mine' });
      const through = await update(sidecar, alice, { note: 'mine' });
      assert.equal(direct.status, 403);
      assert.equal(through.status, 403);
      assert.deepEqual(through.body, direct.body);
    });
  });

  it('leaves no title, no query and no password in the logs', () => {
    const log = services.map((service) => service.written()).join('\n');
    assert.match(log, /settings_unavailable/);
    for (const secret of [...SECRETS, BLIND_PASSWORD, 'not-her-password', QUERY]) {
      assert.ok(!log.includes(secret), `the log holds ${secret}`);
    }
    for (const { title, salary } of Object.values(DOCUMENTS)) {
      assert.ok(!log.includes(title) && !log.includes(String(salary)), `the log holds ${title}`);
    }
  });
});
