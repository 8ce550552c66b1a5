/** What the documentation names is there. `npm run docs:check` runs its commands besides. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anchorsOf, linksOf, readMarkdown } from '../../../scripts/docs/markdown.js';
import {
  brokenLinks,
  invocations,
  pages,
  unknownCommands,
  unknownScripts,
} from '../../../scripts/docs/static-checks.js';

describe('Documentation', () => {
  it('is found', () => {
    assert.ok(pages().includes('README.md'));
    assert.ok(pages().includes('docs/getting-started.md'));
  });

  for (const page of pages())
    it(`${page} names only commands, options, scripts and links that there are`, () => {
      assert.deepEqual(unknownCommands(page), []);
      assert.deepEqual(unknownScripts(page), []);
      assert.deepEqual(brokenLinks(page), []);
    });
});

describe('The checks of the documentation', () => {
  it('find commands in blocks, behind variables, prompts and line ends', () => {
    const text = 'A=1 twinrank load x --to y \\\n  --index z\nls && twinrank jobs list # twinrank nothing';
    assert.deepEqual(invocations(text), [
      ['load', 'x', '--to', 'y', '--index', 'z'],
      ['jobs', 'list'],
    ]);
  });

  it('know links from code, and the anchors of headings', () => {
    const page = readMarkdown(
      '# Blend `auto`, now\n[a](b.md#c) `[no](x)`\n```\n# no [no](y)\n```\n## Blend auto now\n',
    );
    assert.deepEqual(linksOf(page), ['b.md#c']);
    assert.deepEqual([...anchorsOf(page)], ['blend-auto-now', 'blend-auto-now-1']);
  });
});
