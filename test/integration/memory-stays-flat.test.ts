/** A body far larger than the bar passes through each service, either way, without being held. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { measureMemory } from '../../scripts/bench/memory.js';

const BYTES = 256 * 1024 * 1024;
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
  },
);
