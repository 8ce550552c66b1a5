import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { cacheFolder } from '../../../src/cli/cache-folder.js';

describe('the cache folder', () => {
  it('is TWINRANK_CACHE, wherever a child process is started', () => {
    assert.equal(cacheFolder({ TWINRANK_CACHE: 'here', XDG_CACHE_HOME: '/x' }), resolve('here'));
  });

  it('is below XDG_CACHE_HOME where that is an absolute path, else below ~/.cache', () => {
    assert.equal(cacheFolder({ TWINRANK_CACHE: '', XDG_CACHE_HOME: resolve('/x') }), resolve('/x/twinrank'));
    for (const env of [{}, { XDG_CACHE_HOME: '' }, { XDG_CACHE_HOME: 'relative' }])
      assert.equal(cacheFolder(env), join(homedir(), '.cache', 'twinrank'));
  });
});
