/** Bodies far larger than the bar go through the services without being held. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BULK_MEMORY_BAR_MB, measureBulkMemory } from '../../scripts/bench/bulk-memory.js';
import { measureMemory } from '../../scripts/bench/memory.js';
import { engineUrl } from './support/engine.js';

const MB = 1024 * 1024;
const BYTES = 256 * MB;
const MAX_GROWTH_MB = 150;

describe(
  'memory stays flat',
  { skip: process.platform !== 'linux' && 'resident memory is read from /proc' },
  () => {
    it('while 256 MB pass through the proxy and the sidecar, up and down', async () => {
      for (const { service, direction, idleMb, peakMb } of await measureMemory(BYTES))
        assert.ok(
          peakMb - idleMb < MAX_GROWTH_MB,
          `${service} grew by ${Math.round(peakMb - idleMb)} MB on the way ${direction}`,
        );
    });

    for (const [what, test] of [
      [
        'eight bulk bodies of 24 MB come at once, of large documents',
        { name: 'large documents', bytes: 24 * MB, documentBytes: 100_000, configured: true },
      ],
      [
        'bulk bodies of many small items come at once, whose replies are as large',
        { name: 'small documents', bytes: 4 * MB, documentBytes: 150, configured: false },
      ],
    ] as const) {
      it(`while ${what}`, async () => {
        const { idleMb, peakMb, documents, answers } = await measureBulkMemory(engineUrl(), {
          ...test,
          bodies: 8,
          titles: 20,
        });
        const answered = answers.reduce(
          (sum, { items }) => sum + [...items.values()].reduce((a, b) => a + b),
          0,
        );
        assert.equal(answered, documents);
        assert.ok(
          peakMb - idleMb < BULK_MEMORY_BAR_MB,
          `the sidecar grew by ${Math.round(peakMb - idleMb)} MB`,
        );
      });
    }
  },
);
