/**
 * What `mapping apply` has to change, decided from what is there. Nothing that exists is changed in meaning
 * without being told to: vectors made from other fields or by another model do not compare with new ones.
 */
import { TwinrankError } from '../errors.js';
import { isRecord } from './json-value.js';
import { mappingBody, settingsFromMeta, VECTOR_FIELD_MAPPING, type IndexSettings } from './mapping-meta.js';

export type MappingPlan =
  | { readonly kind: 'unchanged'; readonly warnings: readonly string[] }
  | {
      readonly kind: 'apply';
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
  wanted: IndexSettings,
  force: boolean,
): MappingPlan {
  const present = isRecord(mappings) ? mappings : {};
  const properties = isRecord(present['properties']) ? present['properties'] : {};
  const meta = isRecord(present['_meta']) ? present['_meta'] : {};
  const field = properties[wanted.vectorField];
  if (field !== undefined && !isOurField(field)) {
    throw new TwinrankError(
      'mapping_conflict',
      `"${name}" already has a field "${wanted.vectorField}" of another kind (${JSON.stringify(field).slice(0, 200)}); twinrank needs ` +
        `${JSON.stringify(VECTOR_FIELD_MAPPING)}. Name another field with --vector-field.`,
    );
  }
  const warnings = sourceWarnings(name, present, wanted);
  const old = settingsFromMeta(meta, name);
  const changes =
    old === undefined
      ? [`_meta.twinrank and the field "${wanted.vectorField}" are new`]
      : differences(old, wanted);
  if (old !== undefined && !force) refuseStale(name, old, wanted);
  if (changes.length === 0 && field !== undefined) return { kind: 'unchanged', warnings };
  return { kind: 'apply', body: mappingBody(wanted, meta), changes, warnings };
}

function isOurField(field: unknown): boolean {
  return (
    isRecord(field) &&
    field['type'] === 'binary' &&
    (field['doc_values'] === true || field['doc_values'] === 'true')
  );
}

function refuseStale(name: string, old: IndexSettings, wanted: IndexSettings): void {
  for (const [key, reason] of Object.entries(VECTOR_DEFINING) as [keyof typeof VECTOR_DEFINING, string][]) {
    if (JSON.stringify(old[key]) === JSON.stringify(wanted[key])) continue;
    const modelNames = key === 'fingerprint' ? ` (model ${old.model} and ${wanted.model})` : '';
    throw new TwinrankError(
      'mapping_conflict',
      `"${name}" is set up with ${key} ${JSON.stringify(old[key])}, you ask for ${JSON.stringify(wanted[key])}${modelNames}: ${reason}, so every stored ` +
        'vector would be out of date. If that is what you want, give --force and write the documents again through the sidecar.',
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
  const source = isRecord(mappings['_source']) ? mappings['_source'] : {};
  const warnings: string[] = [];
  if (source['enabled'] === false)
    warnings.push(`"${name}" keeps no _source: a changed title cannot be noticed at search time.`);
  const excludes = source['excludes'];
  if (Array.isArray(excludes) && excludes.includes(wanted.vectorField)) {
    warnings.push(
      `"${name}" excludes "${wanted.vectorField}" from _source: a partial update will destroy the vector. Take the exclude out.`,
    );
  }
  return warnings;
}
