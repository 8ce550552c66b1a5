/** What every store of job documents must do; run against the engine's and the one that tests keep in memory. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import type { DocumentStore, JobDocument } from '../../src/ingest/reindex/jobs/document-store.js';

export function documentStoreContract(name: string, open: () => DocumentStore): void {
  describe(`${name} as a document store`, () => {
    const store = open();
    const prefix = `contract-${randomUUID()}`;
    const made: string[] = [];
    const id = (): string => {
      made.push(`${prefix}:${made.length}`);
      return made.at(-1) ?? '';
    };
    const document = (body: Record<string, unknown>, kind: 'job' | 'slice' = 'slice'): JobDocument => ({
      job: prefix,
      kind,
      state: 'running',
      updated: '2026-01-01T00:00:00.000Z',
      body,
    });

    it('is made ready again without harm', async () => {
      await store.prepare();
      await store.prepare();
    });

    it('knows nothing of what was never written, and keeps the order of the ids', async () => {
      const [a, b, c] = [id(), id(), id()];
      await store.create(b, document({ is: 'b' }));
      const found = await store.get([a, b, c]);
      assert.deepEqual(
        found.map((one) => one?.document['body']),
        [undefined, { is: 'b' }, undefined],
      );
    });

    it('gives a body back as it was, at once', async () => {
      const one = id();
      const body = {
        n: 9_007_199_254_740_991,
        list: [],
        nothing: null,
        text: 'ü "q"',
        deep: { a: [{ b: 1 }] },
      };
      await store.create(one, document(body));
      const [found] = await store.get([one]);
      assert.deepEqual(found?.document, document(body));
    });

    it('lets one of two creators win', async () => {
      const one = id();
      const both = await Promise.all([
        store.create(one, document({ by: 1 })),
        store.create(one, document({ by: 2 })),
      ]);
      assert.equal(both.filter((version) => version !== undefined).length, 1);
    });

    it('lets one of two who replace the same version win', async () => {
      const one = id();
      const version = await store.create(one, document({ by: 0 }));
      assert.ok(version !== undefined);
      const both = await Promise.all([1, 2].map((by) => store.replace(one, document({ by }), version)));
      const winners = both.filter((result) => result !== undefined);
      assert.equal(winners.length, 1);
      const [found] = await store.get([one]);
      assert.deepEqual(found?.version, winners[0]);
      assert.deepEqual(found?.document['body'], { by: both.findIndex((result) => result !== undefined) + 1 });
    });

    it('gives every write a version of its own, be the document the same', async () => {
      const one = id();
      const first = await store.create(one, document({}));
      assert.ok(first !== undefined);
      const second = await store.replace(one, document({}), first);
      assert.notEqual(second?.seqNo, first.seqNo);
      assert.equal(await store.replace(one, document({}), first), undefined);
    });

    it('does not replace what was removed, and removes what is not there without a word', async () => {
      const one = id();
      const version = await store.create(one, document({}));
      assert.ok(version !== undefined);
      await store.remove([one, id()]);
      assert.deepEqual(await store.get([one]), [undefined]);
      assert.equal(await store.replace(one, document({}), version), undefined);
    });

    it('lists jobs and no slices, the latest first', async () => {
      const [older, newer, slice] = [id(), id(), id()];
      await store.create(older, { ...document({ is: 'older' }, 'job'), updated: '2026-01-01T00:00:00.000Z' });
      await store.create(newer, { ...document({ is: 'newer' }, 'job'), updated: '2026-01-02T00:00:00.000Z' });
      await store.create(slice, document({}));
      const ours = (await store.list()).filter((one) => one.id.startsWith(prefix));
      assert.deepEqual(
        ours.map((one) => one.id),
        [newer, older],
      );
      await store.remove(made);
      assert.deepEqual(
        (await store.list()).filter((one) => one.id.startsWith(prefix)),
        [],
      );
    });
  });
}
