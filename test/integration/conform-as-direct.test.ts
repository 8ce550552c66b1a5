/** Hundreds of requests over bare sockets: the engine's bytes come through both services, reranked or not. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { partText, type PartResult } from '../../scripts/conform/report.js';
import { runConform } from '../../scripts/conform/run-conform.js';
import { engineUrl } from './support/engine.js';

describe('conforms to direct', () => {
  const stopping = new AbortController();
  let parts: readonly PartResult[];
  before(async () => {
    parts = await runConform({ engine: new URL(engineUrl()), signal: stopping.signal });
  });
  after(() => stopping.abort());

  it('with no settings in any index, in every byte but times', () => {
    const [part] = parts;
    assert.ok(part !== undefined);
    const requests = part.families.reduce((sum, family) => sum + family.requests, 0);
    assert.ok(requests >= 300, `only ${requests} requests`);
    assert.deepEqual(differencesOf(part), []);
  });

  it('with settings present, in all but order, scores, lengths and our header', () => {
    const part = parts[1];
    assert.ok(part !== undefined);
    const applied = part.families.reduce((sum, family) => sum + (family.outcomes.get('applied') ?? 0), 0);
    assert.ok(applied >= 100, `only ${applied} answers were reranked:\n${partText(part)}`);
    assert.deepEqual(differencesOf(part), []);
  });
});

function differencesOf(part: PartResult): unknown[] {
  return part.families.flatMap((family) => family.differences);
}
