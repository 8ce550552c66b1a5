/**
 * What `mapping apply` has to change, decided from what is there. Nothing that exists is changed in meaning
 * without being told to: vectors made from other fields or by another model do not compare with new ones.
 */
import { TwinrankError } from '../errors.js';
import { asRecord, isRecord } from './json-value.js';
import {
  mappingBody,
  nativeFieldMapping,
  settingsFromMeta,
  VECTOR_FIELD_MAPPING,
  vectorFields,
  type IndexSettings,
} from './mapping-meta.js';

export type MappingPlan =
  | {
      readonly kind: 'unchanged';
      readonly settings: IndexSettings;
      readonly warnings: readonly string[];
    }
  | {
      readonly kind: 'apply';
      readonly settings: IndexSettings;
      readonly body: Record<string, unknown>;
      readonly changes: readonly string[];
      readonly warnings: readonly string[];
    };

/** Settings whose change makes stored vectors unusable, with the reason. */
const VECTOR_DEFINING = {
  textFields: 'vectors are made from these fields',
  vectorField: 'vectors are stored in this field',
  fingerprint: 'vectors of another model do not compare',
  dimensions: 'vectors of other dimensions do not compare',
} as const;

/**
 * @param name index or template, for messages
 * @param mappings its present `mappings` object; undefined where there is none yet
 * @param force accept changes that make stored vectors stale
 * @throws mapping_conflict with what is in the way and what to do
 */
export function planMapping(
  name: string,
  mappings: unknown,
  asked: IndexSettings,
  force: boolean,
): MappingPlan {
  const present = asRecord(mappings);
  const properties = asRecord(present['properties']);
  const meta = asRecord(present['_meta']);
  const old = settingsFromMeta(meta, name);
  const wanted = withBlendOf(old, asked);
  const field = properties[wanted.vectorField];
  if (field !== undefined && !isOurField(field)) {
    throw new TwinrankError(
      'mapping_conflict',
      `"${name}" already has a field "${wanted.vectorField}" of another kind (${JSON.stringify(field).slice(0, 200)}); twinrank needs ` +
        `${JSON.stringify(VECTOR_FIELD_MAPPING)}. Name another field with --vector-field.`,
    );
  }
  const isThere = hasNativeField(name, properties, wanted) && field !== undefined;
  const warnings = sourceWarnings(name, present, wanted);
  const changes =
    old === undefined ? [`_meta.twinrank and ${fieldNames(wanted)} are new`] : differences(old, wanted);
  if (old !== undefined && !force) refuseStale(name, old, wanted);
  if (changes.length === 0 && isThere) return { kind: 'unchanged', settings: wanted, warnings };
  return { kind: 'apply', settings: wanted, body: mappingBody(wanted, meta), changes, warnings };
}

/** A weight that was tuned on judgments is not lost because another setting changes. */
function withBlendOf(old: IndexSettings | undefined, asked: IndexSettings): IndexSettings {
  return asked.blend === undefined && old?.blend !== undefined ? { ...asked, blend: old.blend } : asked;
}

function isOurField(field: unknown): boolean {
  return (
    isRecord(field) &&
    field['type'] === 'binary' &&
    (field['doc_values'] === true || field['doc_values'] === 'true')
  );
}

function fieldNames(settings: IndexSettings): string {
  const fields = vectorFields(settings).map((field) => `"${field}"`);
  return `the field${fields.length > 1 ? 's' : ''} ${fields.join(' and ')}`;
}

/** True where nothing has to be added for the engine's own vector field. */
function hasNativeField(name: string, properties: Record<string, unknown>, wanted: IndexSettings): boolean {
  const { native, dimensions } = wanted;
  if (native === undefined) return true;
  const present = properties[native.field];
  if (present === undefined) return false;
  // An engine adds its defaults to what it was given, so only what decides about fitting is compared.
  const sizeKey = native.type === 'knn_vector' ? 'dimension' : 'dims';
  if (isRecord(present) && present['type'] === native.type && Number(present[sizeKey]) === dimensions)
    return true;
  throw new TwinrankError(
    'mapping_conflict',
    `"${name}" already has a field "${native.field}" of another kind (${JSON.stringify(present).slice(0, 200)}); twinrank needs ` +
      `${JSON.stringify(nativeFieldMapping(native, dimensions))}. Name another field with --native-field.`,
  );
}

function refuseStale(name: string, old: IndexSettings, wanted: IndexSettings): void {
  for (const [key, reason] of Object.entries(VECTOR_DEFINING) as [keyof typeof VECTOR_DEFINING, string][]) {
    if (JSON.stringify(old[key]) === JSON.stringify(wanted[key])) continue;
    const modelNames =
      key === 'fingerprint'
        ? ` (model ${old.model} of ${old.dimensions} dimensions and ${wanted.model} of ${wanted.dimensions})`
        : '';
    throw new TwinrankError(
      'mapping_conflict',
      `"${name}" is set up with ${key} ${JSON.stringify(old[key])}, you ask for ${JSON.stringify(wanted[key])}${modelNames}: ${reason}, so every stored ` +
        'vector would be out of date. If that is what you want, give --force and write the documents again through the sidecar.',
    );
  }
  if (old.native !== undefined && JSON.stringify(old.native) !== JSON.stringify(wanted.native)) {
    throw new TwinrankError(
      'mapping_conflict',
      `"${name}" keeps vectors in "${old.native.field}" (${old.native.type}, ${old.native.values} the binary field), you ask for another ` +
        'storage: what is written from now on would not be there for those who search that field. Say --storage ' +
        `${old.native.values === 'beside' ? 'both' : 'native'} --native-field ${old.native.field} to keep it, or give --force and run "twinrank reindex".`,
    );
  }
}

function differences(old: IndexSettings, wanted: IndexSettings): string[] {
  const keys = new Set([...Object.keys(old), ...Object.keys(wanted)] as (keyof IndexSettings)[]);
  return [...keys]
    .filter((key) => JSON.stringify(old[key]) !== JSON.stringify(wanted[key]))
    .map((key) => `${key}: ${shown(old[key])} -> ${shown(wanted[key])}`);
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value);
}

function sourceWarnings(name: string, mappings: Record<string, unknown>, wanted: IndexSettings): string[] {
  const source = asRecord(mappings['_source']);
  const warnings: string[] = [];
  if (source['enabled'] === false && wanted.native?.values === 'instead') {
    throw new TwinrankError(
      'mapping_conflict',
      `"${name}" keeps no _source, and the values of "${wanted.native.field}" can be read back from nowhere else. Use --storage both.`,
    );
  }
  if (source['enabled'] === false)
    warnings.push(`"${name}" keeps no _source: a changed title cannot be noticed at search time.`);
  const excludes = source['excludes'];
  for (const field of vectorFields(wanted)) {
    if (!Array.isArray(excludes) || !excludes.includes(field)) continue;
    warnings.push(
      `"${name}" excludes "${field}" from _source: a partial update will destroy the vector. Take the exclude out.`,
    );
  }
  return warnings;
}
