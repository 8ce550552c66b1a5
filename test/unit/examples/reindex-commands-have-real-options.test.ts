/** What the examples and the manual of the reindex say on a command line exists. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { REINDEX_OPTIONS } from '../../../src/cli/reindex-options.js';

// dist/test/unit/examples -> the repository's root
const ROOT = join(import.meta.dirname, '../../../..');
const KNOWN = new Set<string>(Object.values(REINDEX_OPTIONS).map(({ flag }) => flag));
/** Of other commands. */
const OTHERS = new Set(['text', 'force']);

describe('Commands shown for the reindex', () => {
  for (const file of ['examples/reindex/cron.txt', 'deploy/kubernetes/reindex/job.yaml', 'deploy/kubernetes/reindex/nightly.yaml', 'docs/reindex.md']) {
    it(`have only options that there are, in ${file}`, () => {
      const flags = [...readFileSync(join(ROOT, file), 'utf8').matchAll(/(?<![\w-])--([a-z][a-z-]+)/g)].map(
        ([, flag]) => flag ?? '',
      );
      assert.ok(flags.length > 0);
      assert.deepEqual(
        flags.filter((flag) => !KNOWN.has(flag) && !OTHERS.has(flag)),
        [],
      );
    });
  }
});
