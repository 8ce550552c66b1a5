/** mappings/title-vectors.json shows what `mapping apply` writes; it must not drift from it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { loadBundle } from '../../../src/model/bundle.js';
import { defaultBundleFolder } from '../../../src/model/default-bundle.js';
import {
  DEFAULT_VECTOR_FIELD,
  DEFAULT_WINDOW,
  mappingBody,
} from '../../../src/search-engine/mapping-meta.js';

it('the shipped template is what the command writes', async () => {
  const { manifest, dimensions, fingerprint } = await loadBundle(defaultBundleFolder());
  const mappings = mappingBody({
    textFields: ['title'],
    vectorField: DEFAULT_VECTOR_FIELD,
    codec: 'f16',
    dimensions,
    model: manifest.name,
    fingerprint,
    window: DEFAULT_WINDOW,
  });
  const file = new URL('../../../../mappings/title-vectors.json', import.meta.url);
  const shipped: unknown = JSON.parse(await readFile(file, 'utf8'));
  assert.deepEqual(shipped, { index_patterns: ['docs-*'], template: { mappings } });
});
