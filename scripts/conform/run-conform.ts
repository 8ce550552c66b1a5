/** The whole comparison: part A without settings, part B with settings present. */
import { DEFAULT_ENGINE } from '../engine/engine-table.js';
import { mustSucceed, startService, type RunningService } from '../services.js';
import { createData, removeData } from './data.js';
import type { PartResult } from './report.js';
import type { Family } from './request.js';
import { FAMILIES, READING, WRITING } from './requests/all.js';
import { HEADERS } from './requests/wire-forms.js';
import { runFamily, type FamilyResult, type RunOptions } from './run-family.js';
import type { Side } from './side.js';

export interface ConformOptions {
  readonly engine: URL;
  /** Only families whose name contains this. */
  readonly only?: string;
  readonly signal: AbortSignal;
  readonly onPart?: (part: PartResult) => void;
}

/** An encode that is late on a busy machine would leave nothing to compare. */
const PATIENT = ['--budget', '60000'];
const WRITTEN_INDICES = ['w', 'b', 'h'];

/** Runs both parts with services of their own; what it made in the engine is removed again. */
export async function runConform(options: ConformOptions): Promise<PartResult[]> {
  if (options.engine.protocol !== 'http:')
    throw new Error('conform compares bytes on plain sockets: give it an http:// engine.');
  const services: RunningService[] = [];
  const start = async (name: 'rerank' | 'ingest', args: readonly string[] = []): Promise<URL> => {
    const service = await startService(name, ['--upstream', options.engine.href, ...args], options.signal);
    services.push(service);
    return new URL(service.url);
  };
  try {
    const proxy = await start('rerank', PATIENT);
    const sidecar = await start('ingest');
    const parts: PartResult[] = [];
    const statusesHold = await isTheTables(options.engine);
    for (const part of [
      () => withoutSettings(options, proxy, sidecar, statusesHold),
      () => withSettings(options, proxy, sidecar, statusesHold),
    ]) {
      const result = await part();
      options.onPart?.(result);
      parts.push(result);
    }
    return parts;
  } finally {
    await Promise.all(services.map((service) => service.stop()));
  }
}

/** True for the engine whose statuses the tables name: others lack some of its modules. */
async function isTheTables(engine: URL): Promise<boolean> {
  const answer = (await (await fetch(engine)).json()) as {
    readonly version?: { readonly distribution?: string; readonly number?: string };
  };
  return answer.version?.distribution === 'opensearch' && answer.version.number === DEFAULT_ENGINE;
}

async function withoutSettings(
  options: ConformOptions,
  proxy: URL,
  sidecar: URL,
  statusesHold: boolean,
): Promise<PartResult> {
  const direct = side('direct', options.engine, 'a');
  const others = [side('proxy', proxy, 'b'), side('sidecar', sidecar, 'c')];
  const all = [direct, ...others];
  return cleaned(options, all, async () => {
    for (const { prefix } of all)
      await createData({ engine: options.engine, writeTo: options.engine, prefix });
    return {
      title: 'A. No settings in any index: nothing but times may differ',
      families: await runAll(options, FAMILIES, direct, others, { settingsPresent: false, statusesHold }),
    };
  });
}

async function withSettings(
  options: ConformOptions,
  proxy: URL,
  sidecar: URL,
  statusesHold: boolean,
): Promise<PartResult> {
  const direct = side('direct', options.engine, 'd');
  const reads = side('proxy', proxy, 'e');
  const writes = side('sidecar', sidecar, 'f');
  const prepare = async (index: string): Promise<void> => {
    await mustSucceed(
      ['mapping', 'apply', '--to', options.engine.href, '--index', index],
      'collect',
      options.signal,
    );
  };
  const how = { settingsPresent: true, statusesHold };
  return cleaned(options, [direct, reads, writes], async () => {
    for (const { prefix } of [direct, reads, writes]) {
      await createData({ engine: options.engine, writeTo: sidecar, prefix, prepare });
      for (const name of WRITTEN_INDICES) {
        const made = await fetch(new URL(`/${prefix}-${name}`, options.engine), { method: 'PUT' });
        if (!made.ok) throw new Error(`${prefix}-${name} was not made: ${await made.text()}`);
        await prepare(`${prefix}-${name}`);
      }
    }
    return {
      title: 'B. Settings present: order, scores, lengths and our header may differ, and the hidden vector',
      families: [
        ...(await runAll(options, READING, direct, [reads], how)),
        ...(await runAll(options, [...WRITING, HEADERS], direct, [writes], how)),
      ],
    };
  });
}

function side(name: Side['name'], url: URL, letter: string): Side {
  return { name, url, prefix: `conform-${process.pid}-${letter}`, kept: new Map() };
}

async function cleaned(
  options: ConformOptions,
  sides: readonly Side[],
  run: () => Promise<PartResult>,
): Promise<PartResult> {
  try {
    return await run();
  } finally {
    for (const { prefix } of sides) await removeData(options.engine, prefix);
  }
}

async function runAll(
  options: ConformOptions,
  families: readonly Family[],
  direct: Side,
  others: readonly Side[],
  how: Omit<RunOptions, 'signal'>,
): Promise<FamilyResult[]> {
  const results: FamilyResult[] = [];
  for (const family of families) {
    if (options.only !== undefined && !family.name.includes(options.only)) continue;
    results.push(await runFamily(family, direct, others, { ...how, signal: options.signal }));
  }
  return results;
}
