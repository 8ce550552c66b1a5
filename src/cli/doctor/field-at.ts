import { asRecord, isRecord } from '../../search-engine/json-value.js';

/** A field's mapping by its dotted path: through objects, or a sub-field of a text. */
export function fieldAt(mappings: unknown, path: string): unknown {
  let at: unknown = mappings;
  for (const part of path.split('.')) {
    const { properties, fields } = asRecord(at);
    at = asRecord(properties)[part] ?? asRecord(fields)[part];
    if (!isRecord(at)) break;
  }
  return at ?? asRecord(asRecord(mappings)['properties'])[path];
}
