/** `_meta.twinrank`: what is written is read back, what cannot be used is refused by name, conflicts are explained. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TwinrankError } from '../../../src/errors.js';
import { encodeExpression, settingsByIndex } from '../../../src/search-engine/index-settings.js';
import {
  mappingBody,
  settingsForWriting,
  settingsFromMeta,
  type IndexSettings,
  type NativeField,
} from '../../../src/search-engine/mapping-meta.js';
import { planMapping } from '../../../src/search-engine/mapping-plan.js';

const SETTINGS: IndexSettings = {
  textFields: ['title', 'a.b'],
  vectorField: 'twinrank_vector',
  codec: 'f16',
  dimensions: 384,
  model: 'zh-en-small',
  fingerprint: '0123456789abcdef',
  window: 100,
};

const NATIVE: NativeField = { field: 'twinrank_knn', type: 'knn_vector', indexed: true, values: 'beside' };

const block = (changes: Record<string, unknown> = {}): Record<string, unknown> => {
  const meta = mappingBody(SETTINGS)._meta['twinrank'] as Record<string, unknown>;
  return { twinrank: { ...meta, ...changes } };
};

describe('settings in the mapping', () => {
  it('are read back as written, beside what others keep in _meta', () => {
    const written = JSON.stringify(mappingBody(SETTINGS, { owner: 'search team' }));
    const body = JSON.parse(written) as ReturnType<typeof mappingBody>;
    assert.deepEqual(settingsFromMeta(body._meta, 'i'), SETTINGS);
    assert.equal(body._meta['owner'], 'search team');
    assert.deepEqual(body.properties, { twinrank_vector: { type: 'binary', doc_values: true } });
  });

  it('are read back with a weight of the blend, or auto', () => {
    for (const blend of [0, 0.35, 1, 'auto'] as const) {
      const body = mappingBody({ ...SETTINGS, blend });
      assert.equal(settingsFromMeta(body._meta, 'i')?.blend, blend);
    }
  });

  it('are read back with the field of the engine itself, which is mapped as the engine has it', () => {
    for (const [native, mapping] of [
      [
        NATIVE,
        {
          type: 'knn_vector',
          dimension: 384,
          method: { name: 'hnsw', engine: 'lucene', space_type: 'cosinesimil' },
        },
      ],
      [
        { ...NATIVE, type: 'dense_vector' },
        { type: 'dense_vector', dims: 384, index: true, similarity: 'cosine' },
      ],
      [
        { ...NATIVE, type: 'dense_vector', indexed: false, values: 'instead' },
        { type: 'dense_vector', dims: 384 },
      ],
    ] as const) {
      const body = mappingBody({ ...SETTINGS, native });
      assert.deepEqual(settingsFromMeta(body._meta, 'i')?.native, native);
      assert.deepEqual(body.properties['twinrank_knn'], mapping);
    }
  });

  it('serve for writing only where the fields are mapped as they must be', () => {
    const nested = { ...SETTINGS, vectorField: 'a.b.vec' };
    const object = { a: { properties: { 'b.vec': { type: 'binary', doc_values: true } } } };
    for (const [settings, properties] of [
      [SETTINGS, mappingBody(SETTINGS).properties],
      [nested, object],
      [nested, mappingBody(nested).properties],
    ] as const) {
      const mapping = { _meta: mappingBody(settings)._meta, properties };
      assert.deepEqual(settingsForWriting(mapping, 'i'), settings);
    }
    for (const [properties, reason] of [
      [undefined, /has no such field/],
      [{ [SETTINGS.vectorField]: { type: 'text' } }, /is of type text; it must be of type binary/],
      [{ [SETTINGS.vectorField]: { properties: {} } }, /is of type object/],
    ] as const)
      assert.throws(
        () => settingsForWriting({ _meta: mappingBody(SETTINGS)._meta, properties }, 'my-index'),
        (error: unknown) =>
          error instanceof TwinrankError &&
          reason.test(error.message) &&
          /"my-index".*mapping apply/.test(error.message),
      );
    assert.equal(settingsForWriting({ properties: {} }, 'i'), undefined);
  });

  it('are absent where there is no block', () => {
    for (const meta of [undefined, null, 1, 'x', [], {}, { other: {} }])
      assert.equal(settingsFromMeta(meta, 'i'), undefined);
    assert.equal(settingsByIndex(undefined).size, 0);
    const answer = { a: { mappings: { _meta: block() } }, b: { mappings: {} }, c: null, __proto__x: {} };
    assert.deepEqual([...settingsByIndex(answer).keys()], ['a']);
  });

  it('that cannot be used are refused, with index, key and remedy', () => {
    const bad: Readonly<Record<string, readonly unknown[]>> = {
      version: [undefined, 0, 2, '1'],
      text_fields: [undefined, [], 'title', [''], [1]],
      codec: [undefined, 'i8', 1],
      fingerprint: [undefined, 'xyz', '0123456789ABCDEF', 7],
      dimensions: [undefined, 0, -1, 1.5, 65536, '384'],
      window: [undefined, 0, 10_001, '100'],
      blend: [-0.1, 1.1, '0.5', 'automatic', null],
      vector_field: [undefined, '', 5],
      model: [undefined, ''],
      native: [
        null,
        'knn_vector',
        [],
        { ...NATIVE, field: '' },
        { ...NATIVE, type: 'vector' },
        { ...NATIVE, indexed: 'yes' },
        { ...NATIVE, values: undefined },
      ],
    };
    for (const [key, values] of Object.entries(bad))
      for (const value of values)
        assert.throws(
          () => settingsFromMeta(block({ [key]: value }), 'my-index'),
          (error: unknown) =>
            error instanceof TwinrankError &&
            error.code === 'bad_config' &&
            error.message.includes('"my-index"') &&
            error.message.includes(key) &&
            error.message.includes('mapping apply'),
          `${key}=${JSON.stringify(value)}`,
        );
    assert.throws(() => settingsFromMeta({ twinrank: [] }, 'i'), /not an object/);
  });
});

describe('the plan of mapping apply', () => {
  const present = (settings: IndexSettings): Record<string, unknown> => ({
    ...mappingBody(settings, { owner: 'x' }),
  });

  it('sets up a mapping that has none, and keeps what others wrote in _meta', () => {
    for (const mappings of [
      undefined,
      {},
      { properties: { title: { type: 'text' } }, _meta: { owner: 'x' } },
    ]) {
      const plan = planMapping('i', mappings, SETTINGS, false);
      assert.equal(plan.kind, 'apply');
      assert.ok(plan.kind === 'apply');
      const meta = plan.body['_meta'] as Record<string, unknown>;
      assert.deepEqual(settingsFromMeta(meta, 'i'), SETTINGS);
      assert.equal(meta['owner'], mappings?._meta === undefined ? undefined : 'x');
    }
  });

  it('changes nothing the second time', () => {
    assert.deepEqual(planMapping('i', present(SETTINGS), SETTINGS, false), {
      kind: 'unchanged',
      settings: SETTINGS,
      warnings: [],
    });
  });

  it('keep a blend that was written before, unless another is asked for', () => {
    const tuned = present({ ...SETTINGS, blend: 0.3 });
    const plan = planMapping('i', tuned, { ...SETTINGS, window: 50 }, false);
    assert.equal(plan.settings.blend, 0.3);
    assert.ok(plan.kind === 'apply');
    assert.deepEqual(settingsFromMeta(plan.body['_meta'], 'i'), { ...SETTINGS, window: 50, blend: 0.3 });
    assert.equal(planMapping('i', tuned, SETTINGS, false).kind, 'unchanged');
    assert.equal(planMapping('i', tuned, { ...SETTINGS, blend: 'auto' }, false).settings.blend, 'auto');
  });

  it('changes window and codec without being forced', () => {
    const plan = planMapping('i', present(SETTINGS), { ...SETTINGS, window: 50, codec: 'f32' }, false);
    assert.deepEqual(plan.kind === 'apply' && plan.changes, ['codec: "f16" -> "f32"', 'window: 100 -> 50']);
  });

  it('refuses what makes stored vectors stale, unless forced', () => {
    for (const change of [
      { textFields: ['a.b', 'title'] },
      { vectorField: 'other' },
      { fingerprint: 'f'.repeat(16) },
      { dimensions: 768 },
    ]) {
      assert.throws(
        () => planMapping('i', present(SETTINGS), { ...SETTINGS, ...change }, false),
        (error: unknown) =>
          error instanceof TwinrankError &&
          error.code === 'mapping_conflict' &&
          error.message.includes('--force'),
      );
      assert.equal(planMapping('i', present(SETTINGS), { ...SETTINGS, ...change }, true).kind, 'apply');
    }
    const other = { ...SETTINGS, model: 'other', fingerprint: 'f'.repeat(16), dimensions: 768 };
    assert.throws(() => planMapping('i', present(SETTINGS), other, false), {
      message: /zh-en-small of 384 dimensions and other of 768/,
    });
  });

  it('refuses a field of another kind in the place of the vector, forced or not', () => {
    for (const field of [{ type: 'keyword' }, { type: 'binary' }, { type: 'knn_vector', dimension: 384 }])
      for (const force of [false, true])
        assert.throws(
          () => planMapping('i', { properties: { twinrank_vector: field } }, SETTINGS, force),
          (error: unknown) => error instanceof TwinrankError && error.message.includes('--vector-field'),
        );
  });

  it('warns where _source does not keep what is needed', () => {
    const off = planMapping('i', { _source: { enabled: false } }, SETTINGS, false);
    assert.equal(off.warnings.length, 1);
    const excluded = planMapping('i', { _source: { excludes: ['twinrank_vector'] } }, SETTINGS, false);
    assert.match(excluded.warnings[0] ?? '', /partial update/);
  });

  it('adds the field of the engine itself, keeps it, and does not drop it silently', () => {
    const both = { ...SETTINGS, native: NATIVE };
    const added = planMapping('i', present(SETTINGS), both, false);
    assert.ok(added.kind === 'apply');
    assert.deepEqual(added.changes, [`native: none -> ${JSON.stringify(NATIVE)}`]);
    const mappings = present(both);
    // The engine gives its defaults back beside what it was given.
    const properties = { ...(mappings['properties'] as Record<string, Record<string, unknown>>) };
    properties['twinrank_knn'] = { ...properties['twinrank_knn'], parameters: {} };
    assert.equal(planMapping('i', { ...mappings, properties }, both, false).kind, 'unchanged');
    for (const native of [undefined, { ...NATIVE, values: 'instead' as const }, { ...NATIVE, field: 'v' }]) {
      const { native: _, ...rest } = both;
      const wanted = native === undefined ? rest : { ...rest, native };
      assert.throws(
        () => planMapping('i', mappings, wanted, false),
        /--storage both --native-field twinrank_knn/,
      );
      assert.equal(planMapping('i', mappings, wanted, true).kind, 'apply');
    }
  });

  it('refuses a field of another kind, and values that could not be read back', () => {
    const both = { ...SETTINGS, native: NATIVE };
    for (const field of [{ type: 'knn_vector', dimension: 3 }, { type: 'keyword' }, 1])
      assert.throws(
        () => planMapping('i', { properties: { twinrank_knn: field } }, both, false),
        /--native-field/,
      );
    const noSource = { _source: { enabled: false } };
    assert.equal(planMapping('i', noSource, both, false).kind, 'apply');
    const instead = { ...both, native: { ...NATIVE, values: 'instead' as const } };
    assert.throws(() => planMapping('i', noSource, instead, false), /keeps no _source/);
    const excluded = planMapping('i', { _source: { excludes: ['twinrank_knn'] } }, both, false);
    assert.match(excluded.warnings.join(), /excludes "twinrank_knn"/);
  });
});

describe('an index expression as a path', () => {
  it('keeps commas and wildcards, encodes the rest', () => {
    assert.equal(encodeExpression('logs-*,-logs-1'), 'logs-*,-logs-1');
    assert.equal(encodeExpression('<logs-{now/d}>'), '%3Clogs-%7Bnow%2Fd%7D%3E');
    assert.equal(encodeExpression('a/b?x#y'), 'a%2Fb%3Fx%23y');
    assert.equal(encodeExpression('目录'), '%E7%9B%AE%E5%BD%95');
  });
});
