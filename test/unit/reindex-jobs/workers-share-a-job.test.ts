import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TwinrankError } from '../../../src/errors.js';
import { jobId } from '../../../src/ingest/reindex/jobs/job.js';
import { changeJob, readJob, type StoredJob } from '../../../src/ingest/reindex/jobs/job-record.js';
import { away, FakeSource, never, SPEC, workerOn } from './fixtures.js';
import { createMemoryStore, type MemoryStore } from './memory-store.js';

const newStore = (): MemoryStore => createMemoryStore(away);
const SWAP = { ...SPEC, dest: 'books-2', swap: 'shelf' };

function shows({ job }: StoredJob, documents: number, written: number): void {
  assert.equal(job.state, 'done');
  assert.equal(job.history.at(-1)?.counts.documents, documents);
  assert.equal(job.history[0]?.counts.written, written);
}

async function refused(work: Promise<unknown>, code: string): Promise<TwinrankError> {
  const error: unknown = await work.then(
    () => assert.fail('expected an error'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TwinrankError, String(error));
  assert.equal(error.code, code);
  return error;
}

/** Never settles but by the signal, as the work of a process that was stopped. */
const hangs = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => {
    const end = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });

describe('A worker', () => {
  it('does the work in one pass and verifies it in a second', async () => {
    const source = new FakeSource(95);
    const ended = await workerOn(newStore(), source).run(SPEC, never);
    shows(ended, 95, 95);
    assert.equal(ended.job.pass, 2);
    assert.equal(ended.job.history[1]?.counts.fresh, 95);
  });

  it('ends with an index without documents', async () => {
    shows(await workerOn(newStore(), new FakeSource(0)).run(SPEC, never), 0, 0);
  });

  it('begins a new run where the last one has ended, and ends it in one pass with nothing to do', async () => {
    const [store, source] = [newStore(), new FakeSource(30)];
    await workerOn(store, source).run(SPEC, never);
    const again = await workerOn(store, source).run(SPEC, never);
    shows(again, 30, 0);
    assert.deepEqual([again.job.run, again.job.pass], [2, 1]);
  });

  it('leaves no slice documents behind', async () => {
    const store = newStore();
    const ids: string[] = [];
    store.onWrite = (id) => void ids.push(id);
    const { id } = await workerOn(store, new FakeSource(40)).run(SPEC, never);
    const left = await store.get([...new Set(ids)].filter((one) => one !== id));
    assert.ok(left.length > 0);
    assert.ok(left.every((one) => one === undefined));
  });

  it('gives its slices back when it is stopped, and another goes on at their cursors', async () => {
    const [store, source] = [newStore(), new FakeSource(20)];
    const stop = new AbortController();
    source.onDocument = (document, { signal }) => {
      if (document % 10 < 4) return;
      stop.abort();
      return hangs(signal);
    };
    await refused(workerOn(store, source, { leaseMs: 600_000 }).run(SPEC, stop.signal), 'cancelled');
    const from: number[] = [];
    source.onDocument = (document) => void from.push(document);
    const ended = await workerOn(store, source, { owner: 'worker-2', leaseMs: 600_000 }).run(SPEC, never);
    shows(ended, 20, 20);
    assert.ok(from.includes(4) || from.includes(14));
    assert.ok(!from.slice(0, 16).includes(0) || !from.slice(0, 16).includes(10));
  });

  it('goes on after the engine was away', async () => {
    const [store, source] = [newStore(), new FakeSource(50)];
    let calls = 0;
    source.onDocument = () => {
      if (++calls % 7 === 0) throw away();
    };
    shows(await workerOn(store, source).run(SPEC, never), 50, 50);
  });

  it('knows its own write where the answer was lost', async () => {
    const [store, source] = [newStore(), new FakeSource(50)];
    let writes = 0;
    // Not the first: it is the job's own, made before anything is waited for.
    store.onWrite = () => (++writes > 1 && writes % 2 === 0 ? 'lose the answer' : undefined);
    shows(await workerOn(store, source).run(SPEC, never), 50, 50);
  });

  it('gives up when its patience is at an end, and the job can go on', async () => {
    const [store, source] = [newStore(), new FakeSource(10)];
    source.onDocument = () => {
      throw away();
    };
    await refused(workerOn(store, source, { patienceMs: 20 }).run(SPEC, never), 'upstream_unreachable');
    source.onDocument = () => undefined;
    shows(await workerOn(store, source).run(SPEC, never), 10, 10);
  });

  it('tells documents that cannot be written after a second try', async () => {
    const source = new FakeSource(30);
    source.broken.add(7);
    const { job } = await workerOn(newStore(), source).run(SPEC, never);
    assert.deepEqual([job.state, job.pass, job.history.at(-1)?.counts.failed], ['failed', 2, 1]);
    assert.match(job.reason ?? '', /^1 document could not/);
  });

  it('gives up on documents that others keep making stale', async () => {
    const source = new FakeSource(20);
    source.onDocument = (document) => void (document === 3 && source.stale.add(3));
    const { job } = await workerOn(newStore(), source).run({ ...SPEC, passes: 3 }, never);
    assert.deepEqual([job.state, job.pass], ['failed', 3]);
  });

  it('refuses a document that was edited by hand', async () => {
    const [store, source] = [newStore(), new FakeSource(10)];
    const { id } = await workerOn(store, source).run(SPEC, never);
    const [stored] = await store.get([id]);
    assert.ok(stored !== undefined);
    const { body } = stored.document as { body: Record<string, unknown> };
    await store.replace(
      id,
      { job: id, kind: 'job', state: 'done', updated: '', body: { ...body, pass: 'two' } },
      stored.version,
    );
    assert.match((await refused(workerOn(store, source).run(SPEC, never), 'bad_job')).message, /"pass"/);
  });
});

describe('Several workers', () => {
  it('do each document once', async () => {
    const [store, source] = [newStore(), new FakeSource(400)];
    const seen: number[] = [];
    const owners = new Set<unknown>();
    store.onWrite = (_, { kind, body }) => {
      if (kind === 'slice') owners.add(body['owner']);
      return undefined;
    };
    const workers = ['a', 'b', 'c'].map((owner) => workerOn(store, source, { owner, leaseMs: 60_000 }));
    source.onDocument = async (document) => {
      seen.push(document);
      await new Promise((resolve) => setTimeout(resolve, 1));
    };
    const ended = await Promise.all(workers.map((worker) => worker.run(SPEC, never)));
    for (const one of ended) shows(one, 400, 400);
    assert.equal(seen.length, 800, 'two passes over 400 documents');
    assert.equal(new Set(seen).size, 400);
    assert.deepEqual([...owners].sort(), ['a', 'b', 'c'], 'each had a share');
  });

  it('take over from one that was killed, after its lease and from its last checkpoint', async () => {
    const [store, source] = [newStore(), new FakeSource(40)];
    // A killed process writes no more: its store forgets what it is told, and its work hangs.
    let isDead = false;
    const dead: MemoryStore = Object.create(store) as MemoryStore;
    const cut = <T>(work: () => Promise<T>): Promise<T> => (isDead ? Promise.reject(away()) : work());
    dead.create = (...args) => cut(() => store.create(...args));
    dead.replace = (...args) => cut(() => store.replace(...args));
    const doomed = new FakeSource(40);
    doomed.onDocument = (document, { signal }) => {
      if (document % 10 !== 5) return;
      isDead = true;
      return hangs(signal);
    };
    const kill = new AbortController();
    const killed = workerOn(dead, doomed, { owner: 'killed', patienceMs: 0 }).run(SPEC, kill.signal);
    killed.catch(() => undefined);
    while (!isDead) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const document of doomed.stale) source.stale.add(document);
    const ended = await workerOn(store, source, { owner: 'heir' }).run(SPEC, never);
    kill.abort();
    assert.equal(ended.job.state, 'done');
    assert.equal(source.stale.size, 0);
    assert.equal(ended.job.history.at(-1)?.counts.documents, 40);
  });

  it('leave a slice to one that is slow but alive', async () => {
    const [store, source] = [newStore(), new FakeSource(10)];
    const begun = new Map<number, number>();
    source.onDocument = async (document) => {
      begun.set(document, (begun.get(document) ?? 0) + 1);
      if (document === 0 && begun.get(0) === 1) await new Promise((resolve) => setTimeout(resolve, 1_200));
    };
    const workers = ['a', 'b'].map((owner) => workerOn(store, source, { owner, leaseMs: 300 }));
    await Promise.all(workers.map((worker) => worker.run(SPEC, never)));
    assert.equal(begun.get(0), 2, 'once in each pass');
  });

  it('refuse one that wants it done otherwise', async () => {
    const [store, source] = [newStore(), new FakeSource(10)];
    const stop = new AbortController();
    source.onDocument = (_, { signal }) => hangs(signal);
    const running = workerOn(store, source).run(SPEC, stop.signal);
    running.catch(() => undefined);
    while ((await readJob(store, jobId(SPEC))) === undefined);
    const error = await refused(workerOn(store, source).run({ ...SPEC, passes: 2 }, never), 'job_conflict');
    assert.match(error.message, /--passes is 5/);
    stop.abort();
    await refused(running, 'cancelled');
  });

  it('stop when the job is cancelled', async () => {
    const [store, source] = [newStore(), new FakeSource(10)];
    source.onDocument = (_, { signal }) => hangs(signal);
    const running = workerOn(store, source).run(SPEC, never);
    let stored: StoredJob | undefined;
    while (stored === undefined) stored = await readJob(store, jobId(SPEC));
    assert.ok((await changeJob(store, stored, { state: 'cancelled' })) !== undefined);
    assert.equal((await running).job.state, 'cancelled');
    assert.equal(source.stale.size, 10);
  });
});

describe('A swap', () => {
  it('is made after a pass over the closed source, which stays closed', async () => {
    const source = new FakeSource(25);
    const { job } = await workerOn(newStore(), source).run(SWAP, never);
    assert.equal(job.state, 'done');
    assert.deepEqual(source.log, ['pass', 'block', 'pass', 'finish closed']);
    assert.deepEqual([...source.blockedNow], ['books']);
  });

  it('goes on where a worker stopped half-way', async () => {
    const [store, source] = [newStore(), new FakeSource(25)];
    const stop = new AbortController();
    const half = new FakeSource(25);
    half.block = (_, signal) => {
      stop.abort();
      return hangs(signal);
    };
    await refused(workerOn(store, half).run(SWAP, stop.signal), 'cancelled');
    const { job } = await workerOn(store, source, { owner: 'heir', leaseMs: 600_000 }).run(SWAP, never);
    assert.equal(job.state, 'done');
    assert.deepEqual(source.log, ['pass resumed', 'block', 'pass', 'finish closed']);
  });

  it('that must not be made opens the source again and says why', async () => {
    const source = new FakeSource(25);
    source.refusal = 'books-2 has 24 documents, books 25.';
    const { job } = await workerOn(newStore(), source).run(SWAP, never);
    assert.deepEqual([job.state, job.reason], ['failed', source.refusal]);
    assert.equal(source.blockedNow.size, 0);
  });

  it('leaves a block alone that was there before', async () => {
    const source = new FakeSource(25);
    source.blockedNow.add('books');
    source.refusal = 'no';
    const { job } = await workerOn(newStore(), source).run(SWAP, never);
    assert.equal(job.state, 'failed');
    assert.deepEqual([...source.blockedNow], ['books']);
  });

  it('that is cancelled while the block is put on leaves none', async () => {
    const [store, source] = [newStore(), new FakeSource(25)];
    const worker = workerOn(store, source);
    source.block = async (indices) => {
      const stored = await readJob(store, jobId(SWAP));
      assert.ok(stored !== undefined);
      assert.deepEqual(stored.job.blocked, ['books'], 'noted before it is put on');
      await changeJob(store, stored, { state: 'cancelled' });
      for (const index of indices) source.blockedNow.add(index);
    };
    const { job } = await worker.run(SWAP, never);
    assert.equal(job.state, 'cancelled');
    assert.equal(source.blockedNow.size, 0);
  });
});
