/** docs/metrics.md, the dashboard and the alert rules name what the services export, and nothing else. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { PROJECT_ROOT } from '../../../scripts/project-root.js';
import { startReindexAdmin } from '../../../src/cli/reindex-admin.js';
import { metricsOf, type MetricFamily } from '../../../scripts/soak/exposition.js';
import { running } from './running.js';

const NOWHERE = 'http://127.0.0.1:1';
const read = (...path: string[]): Promise<string> => readFile(join(PROJECT_ROOT, ...path), 'utf8');

describe('the metrics', () => {
  /** Families by name, and who exports each. */
  const exported = new Map<string, { family: MetricFamily; by: string[] }>();

  before(async () => {
    const starts = {
      rerank: () => running('rerank', ['--upstream', NOWHERE]),
      ingest: () => running('ingest', ['--upstream', NOWHERE]),
      serve: () => running('serve', []),
      reindex: async () => {
        const admin = await startReindexAdmin({ host: '127.0.0.1', port: 0 }, undefined, {});
        return { adminUrl: admin.address ?? '', end: () => admin.close() };
      },
    };
    for (const [name, start] of Object.entries(starts)) {
      const service = await start();
      try {
        for (const family of (await metricsOf(service.adminUrl)).families.values()) {
          const known = exported.get(family.name);
          if (known === undefined) exported.set(family.name, { family, by: [name] });
          else known.by.push(name);
        }
      } finally {
        await service.end();
      }
    }
  });
  after(() => exported.clear());

  it('are listed in docs/metrics.md with type, meaning and who exports them', async () => {
    const rows = new Map<string, string>();
    for (const line of (await read('docs', 'metrics.md')).split('\n')) {
      const [, name, type, , by, help] = line.split('|').map((cell) => cell.trim());
      if (name?.startsWith('`twinrank_') === true)
        rows.set(name.slice(1, -1), `${type} | ${by} | ${help?.replaceAll('`', '')}`);
    }
    const actual = [...exported.values()]
      .filter(({ family }) => family.name.startsWith('twinrank_'))
      .map(({ family, by }) => [family.name, `${family.type} | ${by.join(', ')} | ${family.help}`] as const);
    assert.deepEqual(Object.fromEntries(rows), Object.fromEntries(actual));
  });

  it('follow the conventions: counters end in _total, times in _seconds, and nothing else does', () => {
    for (const { family } of exported.values()) {
      if (!family.name.startsWith('twinrank_')) continue;
      assert.equal(family.name.endsWith('_total'), family.type === 'counter', family.name);
      if (family.name.includes('duration') || family.name.includes('delay'))
        assert.match(family.name, /_seconds$/);
    }
  });

  it('of the process are there too', () => {
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_heap_size_used_bytes',
    ])
      assert.ok(exported.has(name), name);
  });

  /** Names in PromQL: of ours, of the process, and the one that Prometheus itself adds. */
  const namesIn = (expression: string): readonly string[] =>
    [...expression.matchAll(/\b(?:twinrank|process|nodejs)_\w+/g)].map(([name]) => name);
  const isExported = (name: string): boolean =>
    exported.has(name) || exported.has(name.replace(/_(bucket|sum|count)$/, ''));

  it('are all that the dashboard asks for, and every one of ours is on it', async () => {
    const dashboard = JSON.parse(await read('deploy', 'grafana', 'twinrank.json')) as {
      panels: { id: number; title: string; targets?: { expr: string }[] }[];
    };
    assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
    const names = dashboard.panels.flatMap(({ targets = [] }) =>
      targets.flatMap(({ expr }) => namesIn(expr)),
    );
    assert.deepEqual(
      names.filter((name) => !isExported(name)),
      [],
    );
    const shown = new Set(names.map((name) => name.replace(/_(bucket|sum|count)$/, '')));
    const notShown = [...exported.keys()].filter((name) => name.startsWith('twinrank_') && !shown.has(name));
    assert.deepEqual(notShown, ['twinrank_queue_limit_texts']);
  });

  it('are all that the alert rules ask for, with reasons that exist', async () => {
    const text = await read('deploy', 'prometheus', 'alerts.yml');
    const rules = text.split(/^ {6}- alert: /m).slice(1);
    assert.ok(rules.length >= 8, 'the rules are there');
    const documented = await read('docs', 'searching.md');
    for (const rule of rules) {
      const expression = /expr: ([\s\S]*?)\n {8}(?:for|labels):/.exec(rule)?.[1] ?? '';
      assert.deepEqual(
        namesIn(expression).filter((name) => !isExported(name)),
        [],
        rule,
      );
      assert.ok(namesIn(expression).length > 0 || expression.startsWith('up{'), rule);
      assert.match(rule, /severity: (critical|warning)/);
      assert.match(rule, /summary: /);
      for (const [, reasons = ''] of expression.matchAll(/reason=~"([^"]+)"/g))
        for (const reason of reasons.split('|'))
          assert.ok(documented.includes(`\`${reason}\``), `${reason} stands in docs/searching.md`);
    }
  });
});
