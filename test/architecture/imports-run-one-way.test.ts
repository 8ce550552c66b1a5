import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { describe, it } from 'node:test';
import { PROJECT_ROOT } from '../../scripts/project-root.js';
import { importsOf, importViolations } from './import-rules.js';

describe('imports in src', () => {
  it('run one way, keep each library in one file and leave the process to the command line', async () => {
    const sources = await readSources(join(PROJECT_ROOT, 'src'));
    assert.ok(sources.size > 0);
    assert.deepEqual(importViolations(sources), []);
  });
});

describe('the check of imports', () => {
  const breaches: readonly [what: string, files: Record<string, string>, expected: RegExp][] = [
    [
      'a model that knows HTTP',
      { 'model/pool.ts': `import { listen } from '../http/listen.js';` },
      /model must not import http/,
    ],
    [
      'a type that runs against the direction',
      { 'http/x.ts': `import type {\n  Plan,\n} from "../rerank/plan.js";` },
      /http must not import rerank/,
    ],
    [
      'ingest that uses rerank',
      { 'ingest/a.ts': `export * from '../rerank/b.js';` },
      /ingest must not import rerank/,
    ],
    [
      'endpoints that know an engine',
      { 'serve/a.ts': `import { b } from '../search-engine/client.js';` },
      /serve must not import search-engine/,
    ],
    ['errors that import', { 'errors.ts': `import './model/head.js';` }, /errors must not import model/],
    ['a dynamic import', { 'model/a.ts': `await import('../cli/main.js');` }, /model must not import cli/],
    ['a test in src', { 'cli/a.ts': `import { x } from '../../test/support/x.js';` }, /outside src/],
    ['an area that nobody planned', { 'misc/a.ts': `import { x } from '../errors.js';` }, /no known area/],
    [
      'a library in two files',
      {
        'model/a.ts': `import * as ort from 'onnxruntime-node';`,
        'model/b.ts': `import type { X } from 'onnxruntime-node';`,
      },
      /onnxruntime-node is imported by model\/a\.ts, model\/b\.ts/,
    ],
    [
      'express away from the apps',
      { 'rerank/plan.ts': `import express from 'express';` },
      /express is imported by/,
    ],
    [
      'undici beside the ways to the engine and to the Hub',
      {
        'http/upstream.ts': `import { Client } from 'undici';`,
        'hub/transport.ts': `import { request } from 'undici';`,
        'hub/download.ts': `import { request } from 'undici';`,
      },
      /undici is imported by http\/upstream\.ts, hub\/download\.ts/,
    ],
    [
      'a service that pulls models',
      { 'rerank/a.ts': `import { createHub } from '../hub/hub-client.js';` },
      /rerank must not import hub/,
    ],
    ['the environment', { 'http/a.ts': `const port = process.env['PORT'];` }, /uses process\.env/],
    ['an exit', { 'ingest/a.ts': `if (broken) process.exit(1);` }, /uses process\.exit/],
    ['an exit code', { 'evaluate/a.ts': `process.exitCode = 1;` }, /uses process\.exitCode/],
  ];
  for (const [what, files, expected] of breaches) {
    it(`sees ${what}`, () => {
      const violations = importViolations(new Map(Object.entries(files)));
      assert.equal(violations.length, 1, violations.join('\n'));
      assert.match(violations[0] ?? '', expected);
    });
  }

  it('accepts what the rules allow', () => {
    const files = {
      'cli/main.ts': `import yargs from 'yargs/yargs';\nprocess.exitCode = Number(process.env['X']);`,
      'rerank/app.ts': `import express from 'express';\nimport { head } from '../model/head.js';`,
      'ingest/app.ts': `import express from 'express';\nimport { once } from 'node:events';`,
      'http/reply.ts': `// import x from '../cli/main.js'; process.exit\nimport { bug } from '../errors.js';`,
      'model/a.ts': `import { b } from './b.js'; /* process.env */\nconst notice = 'imported from "there"';`,
    };
    assert.deepEqual(importViolations(new Map(Object.entries(files))), []);
  });

  it('reads every form of import', () => {
    const text = `import a from 'a';\nimport 'b';\nexport { c } from "c";\nconst d = await import('d');\nconst e = require('e');`;
    assert.deepEqual([...importsOf(text)].sort(), ['a', 'b', 'c', 'd', 'e']);
  });
});

async function readSources(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'));
  const entries = names.map(async (name) => {
    return [name.split(sep).join('/'), await readFile(join(folder, name), 'utf8')] as const;
  });
  return new Map(await Promise.all(entries));
}
