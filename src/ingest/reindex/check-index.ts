/** What must hold of an index before its documents are rewritten. */
import { TwinrankError } from '../../errors.js';
import type { EngineClient } from '../../search-engine/client.js';
import { encodeExpression } from '../../search-engine/index-settings.js';
import { asRecord, isRecord } from '../../search-engine/json-value.js';
import { settingsFromMeta, unfitField, type IndexSettings } from '../../search-engine/mapping-meta.js';
import { haveSameEncoder } from '../../search-engine/other-model.js';
import { mustSucceed } from './expect-success.js';
import { patientRead } from './patient-read.js';

/** The model that is loaded. */
export interface LoadedModel {
  readonly fingerprint: string;
  readonly dimensions: number;
}

export interface CheckedIndices {
  /** Settings by concrete index. */
  readonly settings: ReadonlyMap<string, IndexSettings>;
  /** What may surprise, one sentence each. */
  readonly warnings: readonly string[];
}

/** How much an index must allow: its documents are only read, or written back. */
export type Use = 'read' | 'write';

/** Blocks under which nothing can be written. */
const WRITE_BLOCKS = ['index.blocks.write', 'index.blocks.read_only', 'index.blocks.read_only_allow_delete'];

/**
 * Checks every concrete index behind the expression.
 * @param use `write` for the index that gets the vectors; `read` for the source of a copy, which need not be set up
 * @throws bad_config, mapping_conflict with what is wrong and what to do
 */
export async function checkIndices(
  client: EngineClient,
  expression: string,
  use: Use,
  model: LoadedModel,
  signal: AbortSignal,
): Promise<CheckedIndices> {
  const path = `/${encodeExpression(expression)}`;
  const present = await patientRead(client, { method: 'GET', path: `${path}/_alias`, signal });
  const isEmpty = isRecord(present.body) && Object.keys(present.body).length === 0;
  if (present.status === 404 || (present.status === 200 && isEmpty))
    throw new TwinrankError('bad_config', `There is no index "${expression}" at ${client.address}.`);
  const mappings = await mustSucceed(client, `show the mapping of "${expression}"`, {
    method: 'GET',
    path: `${path}/_mapping`,
    signal,
  });
  const all = await mustSucceed(client, `show the settings of "${expression}"`, {
    method: 'GET',
    path: `${path}/_settings?flat_settings=true`,
    signal,
  });
  const settings = new Map<string, IndexSettings>();
  const warnings: string[] = [];
  for (const [index, entry] of Object.entries(asRecord(mappings.body))) {
    const mapping = asRecord(asRecord(entry)['mappings']);
    requireWholeSource(index, mapping);
    if (use === 'read') continue;
    settings.set(index, configured(index, mapping, client, model));
    const flat = asRecord(asRecord(asRecord(all.body)[index])['settings']);
    requireWritable(index, flat);
    const pipeline = flat['index.final_pipeline'];
    if (typeof pipeline === 'string' && pipeline !== '_none')
      warnings.push(
        `"${index}" has the final pipeline "${pipeline}", which runs again on every document that is written back.`,
      );
  }
  return { settings, warnings };
}

/** A document is written back from its `_source`: what that left out would be lost. */
function requireWholeSource(index: string, mapping: Record<string, unknown>): void {
  const source = asRecord(mapping['_source']);
  const off = source['enabled'] === false || source['enabled'] === 'false';
  const left = ['includes', 'excludes'].find((key) => {
    const list = source[key];
    return Array.isArray(list) ? list.length > 0 : list !== undefined;
  });
  if (!off && left === undefined && source['mode'] === undefined) return;
  const what = off
    ? 'keeps no _source (_source.enabled is false)'
    : left !== undefined
      ? `keeps only a part of _source (_source.${left} in its mapping)`
      : `keeps _source in mode ${JSON.stringify(source['mode'])}`;
  throw new TwinrankError(
    'bad_config',
    `"${index}" ${what}: documents written back from it would lose fields. Load them again from where they came, through the sidecar.`,
  );
}

function configured(
  index: string,
  mapping: Record<string, unknown>,
  client: EngineClient,
  model: LoadedModel,
): IndexSettings {
  const settings = settingsFromMeta(mapping['_meta'], index);
  if (settings === undefined) {
    throw new TwinrankError(
      'bad_config',
      `"${index}" is not set up. First run: twinrank mapping apply --to ${client.address} --index ${index} --text FIELD`,
    );
  }
  const unfit = unfitField(mapping['properties'], settings);
  if (unfit !== undefined) {
    const { field, wanted, found } = unfit;
    const what = found === undefined ? 'has no field' : `has a field of type "${found}" named`;
    throw new TwinrankError(
      'mapping_conflict',
      `"${index}" ${what} "${field}", where its _meta.twinrank wants vectors in one of type ${wanted}. Run twinrank mapping apply again, with another field name if it refuses.`,
    );
  }
  if (!haveSameEncoder(settings, model)) {
    throw new TwinrankError(
      'bad_config',
      `"${index}" is set up for model ${settings.model} (${settings.fingerprint}, ${settings.dimensions} dimensions), loaded is ` +
        `${model.fingerprint} (${model.dimensions}). Give the bundle of the index with --model; or, to change the index to the loaded one, ` +
        `run twinrank mapping apply --to ${client.address} --index ${index} --text ${settings.textFields.join(',')} --force, then reindex.`,
    );
  }
  return settings;
}

function requireWritable(index: string, flat: Record<string, unknown>): void {
  const block = WRITE_BLOCKS.find((name) => flat[name] === true || flat[name] === 'true');
  if (block === undefined) return;
  const why = block.endsWith('allow_delete')
    ? ' The engine sets it where a disk is nearly full: make room first.'
    : '';
  throw new TwinrankError(
    'bad_config',
    `"${index}" may not be written to (${block}).${why} Take the block off: PUT /${index}/_settings {"${block}": null}`,
  );
}
