/** `twinrank mapping apply|show` against the real engine: new, existing, template; again; conflicts. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { mappingCommand } from '../../src/cli/commands/mapping.js';
import { TwinrankError } from '../../src/errors.js';
import { engineFixture, type EngineFixture } from './support/engine.js';
import { runCommand } from './support/captured-io.js';

describe('mapping is applied once', () => {
  let engine: EngineFixture;
  before(() => {
    engine = engineFixture();
  });
  after(() => engine.cleanUp());

  const apply = (target: Record<string, unknown>): ReturnType<typeof runCommand> =>
    runCommand(mappingCommand, { to: engine.url, ...target }, ['apply']);
  const show = (target: Record<string, unknown>): ReturnType<typeof runCommand> =>
    runCommand(mappingCommand, { to: engine.url, json: true, ...target }, ['show']);
  const mappingOf = async (index: string): Promise<Record<string, unknown>> => {
    const answer = (await engine.call('GET', `/${index}/_mapping`)) as Record<
      string,
      { mappings: Record<string, unknown> }
    >;
    return answer[index]?.mappings ?? {};
  };
  const refused = (message: RegExp) => (error: unknown) =>
    error instanceof TwinrankError && error.code === 'mapping_conflict' && message.test(error.message);

  it('makes an index that is not there, and changes nothing the second time', async () => {
    const index = engine.index();
    assert.match((await apply({ index })).stdout, /is made and set up/);
    const first = await mappingOf(index);
    assert.deepEqual((first['properties'] as Record<string, unknown>)['twinrank_vector'], {
      type: 'binary',
      doc_values: true,
    });
    assert.match((await apply({ index })).stdout, /nothing to change/);
    assert.deepEqual(await mappingOf(index), first);
  });

  it('keeps what an existing index has', async () => {
    const index = engine.index();
    await engine.call('PUT', `/${index}`, {
      mappings: {
        _meta: { owner: 'search team' },
        properties: { title: { type: 'text' }, price: { type: 'double' } },
      },
    });
    assert.match((await apply({ index, text: 'title' })).stdout, /is set up/);
    const mapping = await mappingOf(index);
    assert.equal((mapping['_meta'] as Record<string, unknown>)['owner'], 'search team');
    assert.ok('price' in (mapping['properties'] as object));
    const shown = JSON.parse((await show({ index })).stdout) as Record<
      string,
      { textFields: string[]; window: number }
    >;
    assert.deepEqual(shown[index]?.textFields, ['title']);
    assert.match((await apply({ index, window: '50' })).stdout, /window: 100 -> 50/);
  });

  it('refuses what would put stored vectors out of date, unless told', async () => {
    const index = engine.index();
    await apply({ index });
    await assert.rejects(apply({ index, text: 'body' }), refused(/textFields.*--force/));
    assert.match((await apply({ index, text: 'body', force: true })).stdout, /textFields/);
  });

  it('refuses a vector field that is something else', async () => {
    const index = engine.index();
    await engine.call('PUT', `/${index}`, {
      mappings: { properties: { twinrank_vector: { type: 'keyword' } } },
    });
    await assert.rejects(apply({ index }), refused(/already has a field "twinrank_vector".*--vector-field/));
  });

  it('says what the engine lacks for vector fields of its own, and touches nothing', async () => {
    const index = engine.index();
    for (const storage of ['both', 'native'])
      await assert.rejects(
        apply({ index, storage }),
        (error: unknown) =>
          error instanceof TwinrankError && /k-NN plugin is not on .*--storage binary/.test(error.message),
      );
    await assert.rejects(engine.call('GET', `/${index}`), /404/);
  });

  it('sets up a template with its patterns, keeping what it has', async () => {
    const template = engine.index('twinrank-template');
    try {
      await assert.rejects(apply({ template }), /--pattern/);
      await engine.call('PUT', `/_index_template/${template}`, {
        index_patterns: [`${template}-*`],
        priority: 7,
        template: {
          settings: { number_of_replicas: 0 },
          mappings: { properties: { price: { type: 'double' } } },
        },
      });
      assert.match((await apply({ template })).stdout, /is set up/);
      assert.match((await apply({ template })).stdout, /nothing to change/);
      const answer = (await engine.call('GET', `/_index_template/${template}`)) as {
        index_templates: {
          index_template: {
            priority: number;
            template: { settings: unknown; mappings: { properties: object } };
          };
        }[];
      };
      const written = answer.index_templates[0]?.index_template;
      assert.equal(written?.priority, 7);
      assert.deepEqual(Object.keys(written?.template.mappings.properties ?? {}).sort(), [
        'price',
        'twinrank_vector',
      ]);
      const index = engine.index(`${template}`);
      await engine.call('PUT', `/${index}`);
      assert.equal((await show({ index })).code, 0);
    } finally {
      await engine.call('DELETE', `/_index_template/${template}`);
    }
  });

  it('says when an index is not set up', async () => {
    const index = engine.index();
    await engine.call('PUT', `/${index}`);
    const shown = await show({ index });
    assert.equal(shown.code, 1);
    assert.match(shown.stderr, /not set up/);
  });
});
