/** Reads what the engine shows of indices: mappings, settings, and what templates would make. Changes nothing. */
import type { EngineClient } from '../../search-engine/client.js';
import { encodeExpression, mappingsOfNewIndex } from '../../search-engine/index-settings.js';
import { asRecord, isRecord } from '../../search-engine/json-value.js';
import { patternMatches } from '../../search-engine/legacy-templates.js';
import type { Finding } from './finding.js';
import type { Advice } from './advice.js';
import type { IndexFacts } from './indices.js';
import { bodyOf, get, statusOf, whyOf } from './reply.js';
import type { NextIndex } from './template.js';

export interface FoundIndices {
  /** What is wrong with a name itself. */
  readonly findings: readonly Finding[];
  readonly indices: readonly IndexFacts[];
}

/** More are not looked at one by one. */
const MOST_INDICES = 20;

/** Indices behind the names; without any, those that are set up. */
export async function findIndices(
  client: EngineClient,
  names: readonly string[],
  advice: Advice,
  signal: AbortSignal,
): Promise<FoundIndices> {
  const findings: Finding[] = [];
  const mappings = new Map<string, unknown>();
  for (const name of names.length === 0 ? [''] : names) {
    const target = name === '' ? '' : `/${encodeExpression(name)}`;
    const reply = await get(client, `${target}/_mapping`, signal);
    const found = Object.entries(asRecord(bodyOf(reply))).flatMap(([index, entry]) =>
      isRecord(entry) ? [[index, entry['mappings']] as const] : [],
    );
    // Of all indices those count that were meant for us.
    const ours = name === '' ? found.filter(([, mapping]) => hasBlock(mapping)) : found;
    for (const [index, mapping] of ours) mappings.set(index, mapping);
    if (statusOf(reply) === 404) findings.push(await missing(client, name, advice, signal));
    else if (statusOf(reply) !== 200)
      findings.push({
        check: 'index',
        ...(name === '' ? {} : { index: name }),
        status: 'fail',
        message: `The mapping cannot be read (${whyOf(reply)}).`,
        remedy: 'Give credentials that may read mappings in --upstream.',
      });
    else if (ours.length === 0) findings.push(nothing(name, advice));
  }
  const all = [...mappings];
  if (all.length > MOST_INDICES)
    findings.push({
      check: 'index',
      status: 'skipped',
      message: `Of ${all.length} indices the first ${MOST_INDICES} are looked at; name others with --index.`,
    });
  const indices: IndexFacts[] = [];
  for (const [name, mapping] of all.slice(0, MOST_INDICES)) {
    const settings = await settingsOfIndex(client, name, signal);
    indices.push({ name, mappings: mapping, settings, next: await nextIndex(client, name, signal) });
  }
  return { findings, indices };
}

function hasBlock(mapping: unknown): boolean {
  return asRecord(asRecord(mapping)['_meta'])['twinrank'] !== undefined;
}

function nothing(name: string, { to }: Advice): Finding {
  return {
    check: 'index',
    ...(name === '' ? {} : { index: name }),
    status: 'fail',
    message: name === '' ? 'No index is set up for twinrank.' : 'No index has such a name.',
    remedy: `twinrank mapping apply --to ${to} --index ${name === '' ? 'NAME' : name} --text FIELD`,
  };
}

/** A name that stands for no index may be one that a template is to make. */
async function missing(
  client: EngineClient,
  name: string,
  advice: Advice,
  signal: AbortSignal,
): Promise<Finding> {
  const next = await nextIndex(client, name, signal);
  const isReady = next !== undefined && hasBlock(next.mappings);
  if (!isReady) return { ...nothing(name, advice), message: 'There is no such index, alias or data stream.' };
  return {
    check: 'index',
    index: name,
    status: 'warn',
    message: `There is no such index yet; ${next.templates.join(' and ')} will make it with vectors.`,
    remedy: 'Write the first document through the sidecar.',
  };
}

async function settingsOfIndex(
  client: EngineClient,
  name: string,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const reply = await get(client, `/${encodeExpression(name)}/_settings?flat_settings=true`, signal);
  return asRecord(asRecord(asRecord(bodyOf(reply))[name])['settings']);
}

/** Undefined where the engine does not tell. */
async function nextIndex(
  client: EngineClient,
  index: string,
  signal: AbortSignal,
): Promise<NextIndex | undefined> {
  // Indices behind a data stream are made under the stream's name.
  const streams = asRecord(bodyOf(await get(client, '/_data_stream', signal)))['data_streams'];
  const stream = recordsOf(streams).find(({ indices }) =>
    recordsOf(indices).some((one) => one['index_name'] === index),
  );
  const name = typeof stream?.['name'] === 'string' ? stream['name'] : index;
  try {
    const mappings = await mappingsOfNewIndex(client, name, signal);
    return { mappings, ...(await templatesFor(client, name, signal)) };
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** Names of the templates that make an index of this name: the one of the newer kind that wins, or those of the older. */
async function templatesFor(
  client: EngineClient,
  name: string,
  signal: AbortSignal,
): Promise<Pick<NextIndex, 'templates' | 'areOlder'>> {
  const newer = asRecord(bodyOf(await get(client, '/_index_template', signal)))['index_templates'];
  const matching = recordsOf(newer)
    .filter((entry) => isFor(name, asRecord(entry['index_template'])['index_patterns']))
    .sort((a, b) => priorityOf(b) - priorityOf(a));
  if (matching[0] !== undefined) return { templates: [String(matching[0]['name'])], areOlder: false };
  const older = asRecord(bodyOf(await get(client, '/_template', signal)));
  const templates = Object.entries(older)
    .filter(([, template]) => isFor(name, asRecord(template)['index_patterns']))
    .filter(([, template]) => Object.keys(asRecord(asRecord(template)['mappings'])).length > 0)
    .map(([template]) => template);
  return { templates, areOlder: templates.length > 0 };
}

function priorityOf(entry: Record<string, unknown>): number {
  return Number(asRecord(entry['index_template'])['priority'] ?? 0);
}

function isFor(name: string, patterns: unknown): boolean {
  return [patterns].flat().some((pattern) => patternMatches(String(pattern), name));
}

function recordsOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? (value as unknown[]).filter(isRecord) : [];
}
