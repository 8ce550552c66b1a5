/** Which vector field an engine has, by its version and plugins, and what an index needs for it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TwinrankError } from '../../../src/errors.js';
import {
  identityOf,
  nativeSupport,
  nodesWithoutKnn,
  unmetSettings,
  type EngineIdentity,
} from '../../../src/search-engine/native-support.js';

const openSearch = (version: string): EngineIdentity => ({ name: 'OpenSearch', version });
const elasticsearch = (version: string): EngineIdentity => ({ name: 'Elasticsearch', version });

/** Type, whether it is indexed, and the settings needed; or why there is none. */
function support(engine: EngineIdentity, dimensions = 384, values: 'beside' | 'instead' = 'beside'): string {
  try {
    const { type, indexed, settings } = nativeSupport(engine, dimensions, values);
    return [type, indexed, ...settings.map(({ name, value }) => `${name}=${value}`)].join(' ');
  } catch (error) {
    assert.ok(error instanceof TwinrankError && error.code === 'bad_config');
    assert.match(error.message, /--storage (both or --storage )?binary\.$/);
    return error.message;
  }
}

describe('the vector field of an engine', () => {
  it('is known by what the engine says of itself', () => {
    assert.deepEqual(
      identityOf({ version: { distribution: 'opensearch', number: '2.19.1' } }),
      openSearch('2.19.1'),
    );
    assert.deepEqual(identityOf({ version: { number: '8.15.0' } }), elasticsearch('8.15.0'));
    for (const body of [undefined, '', {}, { version: '8' }, { version: {} }])
      assert.equal(identityOf(body), undefined);
  });

  it('is knn_vector on OpenSearch, with graphs', () => {
    assert.equal(support(openSearch('2.2.0')), 'knn_vector true index.knn=true');
    for (const version of ['2.19.0', '3.0.0-beta1', '3.8.0'])
      assert.equal(
        support(openSearch(version)),
        'knn_vector true index.knn=true index.knn.derived_source.enabled=false',
      );
    for (const version of ['1.3.20', '2.1.0']) assert.match(support(openSearch(version)), /needs 2\.2/);
  });

  it('is dense_vector on Elasticsearch, with graphs from 8 on', () => {
    assert.equal(support(elasticsearch('7.17.0')), 'dense_vector false');
    assert.equal(support(elasticsearch('8.0.0')), 'dense_vector true');
    assert.equal(support(elasticsearch('9.1.4')), 'dense_vector true');
    assert.equal(
      support(elasticsearch('9.2.0')),
      'dense_vector true index.mapping.exclude_source_vectors=false',
    );
    assert.match(support(elasticsearch('7.2.1')), /needs 7\.3/);
    assert.match(support(elasticsearch('7.10.2'), 384, 'instead'), /--storage both/);
    assert.equal(support(elasticsearch('8.0.0'), 384, 'instead'), 'dense_vector true');
  });

  it('takes as many dimensions as the engine allows, and not one more', () => {
    for (const [engine, most] of [
      [openSearch('2.11.1'), 1024],
      [openSearch('2.12.0'), 16_000],
      [elasticsearch('7.5.2'), 1024],
      [elasticsearch('7.6.0'), 2048],
      [elasticsearch('8.7.1'), 1024],
      [elasticsearch('8.8.0'), 2048],
      [elasticsearch('8.11.0'), 4096],
      [elasticsearch('9.0.0'), 4096],
    ] as const) {
      assert.match(support(engine, most), /_vector (true|false)/);
      assert.match(
        support(engine, most + 1),
        new RegExp(`at most ${most} dimensions, the model has ${most + 1}`),
      );
    }
  });

  it('needs the plugin on every node that holds data', () => {
    const node = (name: string, roles: string[], ...plugins: string[]): unknown => ({
      name,
      roles,
      plugins: plugins.map((plugin) => ({ name: plugin })),
    });
    assert.deepEqual(
      nodesWithoutKnn([
        node('a', ['data'], 'analysis-icu', 'opensearch-knn'),
        node('b', ['data', 'ingest'], 'org.opensearch.knn.plugin.KNNPlugin'),
        node('c', ['cluster_manager']),
        node('d', ['data'], 'opensearch-security'),
        { name: 'e', plugins: [] },
        'x',
      ]),
      ['d', 'e'],
    );
  });

  it('is refused by an index whose settings are otherwise', () => {
    const { settings } = nativeSupport(openSearch('3.1.0'), 384, 'beside');
    const unmet = (flat: Record<string, unknown>): unknown => {
      const { refusal, warnings } = unmetSettings(settings, flat);
      return [refusal?.name, warnings.map(({ name }) => name)];
    };
    const derived = 'index.knn.derived_source.enabled';
    assert.deepEqual(unmet({ 'index.knn': 'true', [derived]: 'false' }), [undefined, []]);
    assert.deepEqual(unmet({ 'index.knn': 'true' }), [undefined, [derived]]);
    assert.deepEqual(unmet({ [derived]: false }), ['index.knn', []]);
    const { settings: on2 } = nativeSupport(openSearch('2.19.1'), 384, 'beside');
    assert.deepEqual(unmetSettings(on2, { 'index.knn': 'true' }), { refusal: undefined, warnings: [] });
  });
});
