/** The reasons that the code can give and those that searching.md explains are the same. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { PROJECT_ROOT as ROOT } from '../../../scripts/project-root.js';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Members of a union of texts, with those of unions that it names. */
function union(path: string, type: string): string[] {
  const body = new RegExp(`export type ${type} =([^;]*);`).exec(read(path))?.[1];
  assert.ok(body, `${type} in ${path}`);
  return [...body.matchAll(/'([a-z_]+)'/g)].map(([, name]) => name ?? '');
}

it('every reason in the header is explained, and no other', () => {
  const given = new Set([
    ...union('src/rerank/plan.ts', 'SkipReason'),
    ...union('src/rerank/window.ts', 'WindowSkip'),
    ...union('src/rerank/outcome.ts', 'FailOpenReason'),
  ]);
  const [, table = ''] = read('docs/searching.md').split('| reason | why | what to do |');
  const rows = (table.split('\n\n')[0] ?? '').split('\n').slice(2);
  const explained = new Set(
    rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([a-z_]+)`/g)].map(([, name]) => name)),
  );
  assert.ok(given.size > 30);
  assert.deepEqual([...explained].sort(), [...given].sort());
});
