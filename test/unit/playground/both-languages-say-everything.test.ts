/** The page's words: both languages say all that the page, the header and the engine make it say. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { before, describe, it } from 'node:test';
import { PROJECT_ROOT } from '../../../scripts/project-root.js';

const PAGE = join(PROJECT_ROOT, 'playground');

let english: Record<string, string> = {};
let chinese: Record<string, string> = {};

before(async () => {
  const words = async (name: string): Promise<Record<string, unknown>> =>
    (await import(pathToFileURL(join(PAGE, name)).href)) as Record<string, unknown>;
  english = (await words('english.js'))['ENGLISH'] as Record<string, string>;
  chinese = (await words('chinese.js'))['CHINESE'] as Record<string, string>;
});

describe('the words of the playground', () => {
  it('are there in both languages, with the same values in them', () => {
    assert.deepEqual(Object.keys(chinese).sort(), Object.keys(english).sort());
    const valuesIn = (text: string | undefined): string[] => [
      ...new Set([...(text ?? '').matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')),
    ];
    for (const [key, text] of Object.entries(english))
      assert.deepEqual(valuesIn(chinese[key]).sort(), valuesIn(text).sort(), key);
  });

  it('explain every reason and every kind of hit without probability that the documentation names', async () => {
    const text = await readFile(join(PROJECT_ROOT, 'docs/searching.md'), 'utf8');
    const rowsAfter = (head: string): string[] => {
      const start = text.indexOf(head);
      assert.notEqual(start, -1, head);
      const table = text.slice(start).split('\n\n')[0] ?? '';
      return table
        .split('\n')
        .slice(2)
        .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map((match) => match[1] ?? ''));
    };
    const reasons = rowsAfter('| reason | why');
    const problems = rowsAfter('| hits without probability');
    assert.ok(reasons.length > 30 && problems.length >= 7);
    for (const reason of reasons) assert.ok(english[`reason_${reason}`], reason);
    for (const problem of problems) assert.ok(english[`problem_${problem}`], problem);
  });

  it('are there for everything that the page and its modules name', async () => {
    const html = await readFile(join(PAGE, 'index.html'), 'utf8');
    const named = [...html.matchAll(/data-t(?:-label|-placeholder)?="(\w+)"/g)].map(
      (match) => match[1] ?? '',
    );
    for (const file of (await readdir(PAGE)).filter((name) => name.endsWith('.js'))) {
      const code = await readFile(join(PAGE, file), 'utf8');
      named.push(...[...code.matchAll(/\bt\('(\w+)'/g)].map((match) => match[1] ?? ''));
    }
    assert.ok(named.length > 100);
    for (const key of named) assert.ok(english[key], key);
  });
});
