/**
 * `_meta.twinrank` in an index mapping: the one source of truth for sidecar, proxy and mapping command.
 * What is written here is read back here; nothing else knows the block's form.
 */
import { TwinrankError } from '../errors.js';
import { asRecord, isRecord } from './json-value.js';
import type { Codec } from './vector-payload.js';

/** What an index says about its vectors. */
export interface IndexSettings {
  /** Fields whose texts are encoded, dotted paths allowed, in the order in which they are joined. */
  readonly textFields: readonly string[];
  readonly vectorField: string;
  readonly codec: Codec;
  readonly dimensions: number;
  /** Name of the model bundle, for people. */
  readonly model: string;
  /** Fingerprint of its encoder: 16 hex characters. */
  readonly fingerprint: string;
  /** How many hits are reranked. */
  readonly window: number;
  /** Weight of the engine's score in the order, 0 to 1, or `auto`; undefined leaves it to the proxy. */
  readonly blend?: number | 'auto';
  /** The engine's own vector field; undefined where only the binary field holds vectors. */
  readonly native?: NativeField;
}

/** A field of the engine's own vector type, so that the same vectors serve retrieval. */
export interface NativeField {
  readonly field: string;
  /** `knn_vector` on OpenSearch, `dense_vector` on Elasticsearch. */
  readonly type: NativeType;
  /** The engine builds a graph of it for nearest-neighbour queries. */
  readonly indexed: boolean;
  /** Whether its values are there beside those of the binary field, which then serve reranking, or instead of them. */
  readonly values: 'beside' | 'instead';
}

export type NativeType = 'knn_vector' | 'dense_vector';

/** Fields of a document that are ours. */
export function vectorFields(settings: IndexSettings): readonly string[] {
  return settings.native === undefined
    ? [settings.vectorField]
    : [settings.vectorField, settings.native.field];
}

export const DEFAULT_VECTOR_FIELD = 'twinrank_vector';
export const DEFAULT_NATIVE_FIELD = 'twinrank_knn';
export const DEFAULT_WINDOW = 100;
export const MAX_WINDOW = 10_000;
const META_KEY = 'twinrank';
const META_VERSION = 1;
/** Every document and hit is read once for each text field, so their number is bound, and so is a path's length. */
const MAX_TEXT_FIELDS = 100;
const LONGEST_NAME = 1_000;

/** The mapping of the vector field: stored once as doc values, not indexed, as any OpenSearch or Elasticsearch can. */
export const VECTOR_FIELD_MAPPING = { type: 'binary', doc_values: true } as const;

/**
 * The mapping of the engine's own vector field. Lucene's graph by cosine is what both engines have without native
 * libraries; dense vectors of Elasticsearch 7 are stored only.
 */
export function nativeFieldMapping(native: NativeField, dimensions: number): Record<string, unknown> {
  if (native.type === 'dense_vector') {
    return {
      type: 'dense_vector',
      dims: dimensions,
      ...(native.indexed ? { index: true, similarity: 'cosine' } : {}),
    };
  }
  return {
    type: 'knn_vector',
    dimension: dimensions,
    method: { name: 'hnsw', engine: 'lucene', space_type: 'cosinesimil' },
  };
}

/** Mapping body that carries the settings; `otherMeta` is what `_meta` holds besides ours and is kept. */
export function mappingBody(
  settings: IndexSettings,
  otherMeta: Readonly<Record<string, unknown>> = {},
): {
  _meta: Record<string, unknown>;
  properties: Record<string, unknown>;
} {
  const block = {
    version: META_VERSION,
    text_fields: settings.textFields,
    vector_field: settings.vectorField,
    codec: settings.codec,
    dimensions: settings.dimensions,
    model: settings.model,
    fingerprint: settings.fingerprint,
    window: settings.window,
    ...(settings.blend === undefined ? {} : { blend: settings.blend }),
    ...(settings.native === undefined ? {} : { native: settings.native }),
  };
  return {
    _meta: { ...otherMeta, [META_KEY]: block },
    properties: {
      [settings.vectorField]: VECTOR_FIELD_MAPPING,
      ...(settings.native === undefined
        ? {}
        : { [settings.native.field]: nativeFieldMapping(settings.native, settings.dimensions) }),
    },
  };
}

/**
 * Settings from a mapping's `_meta`; undefined where there is no block of ours.
 * Throws `bad_config` where there is one that cannot be used, naming the key.
 */
export function settingsFromMeta(meta: unknown, index: string): IndexSettings | undefined {
  const block = isRecord(meta) ? meta[META_KEY] : undefined;
  if (block === undefined) return undefined;
  const refuse = (what: string): never => {
    throw new TwinrankError(
      'bad_config',
      `The mapping of "${index}" has a _meta.${META_KEY} that cannot be used: ${what}. Run "twinrank mapping apply" again.`,
    );
  };
  if (!isRecord(block)) return refuse('it is not an object');
  if (block['version'] !== META_VERSION)
    return refuse(`version is ${shown(block['version'])}, this program knows ${META_VERSION}`);
  const text = (key: string): string => {
    const value = block[key];
    return isName(value) ? value : refuse(`${key} must be a text of at most ${LONGEST_NAME} characters`);
  };
  const whole = (key: string, max: number): number => {
    const value = block[key];
    return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max
      ? value
      : refuse(`${key} must be a whole number from 1 to ${max}`);
  };
  const fields = block['text_fields'];
  if (
    !Array.isArray(fields) ||
    fields.length === 0 ||
    fields.length > MAX_TEXT_FIELDS ||
    !fields.every(isName)
  ) {
    return refuse(`text_fields must be a list of at most ${MAX_TEXT_FIELDS} field names`);
  }
  const codec = block['codec'];
  if (codec !== 'f32' && codec !== 'f16') return refuse('codec must be f32 or f16');
  const fingerprint = text('fingerprint');
  if (!/^[0-9a-f]{16}$/.test(fingerprint)) return refuse('fingerprint must be 16 hex characters');
  const blend = block['blend'];
  const isBlend = blend === 'auto' || (typeof blend === 'number' && blend >= 0 && blend <= 1);
  if (blend !== undefined && !isBlend) return refuse('blend must be a number from 0 to 1, or "auto"');
  const native = nativeOf(block['native'], refuse);
  return {
    textFields: fields,
    vectorField: text('vector_field'),
    codec,
    dimensions: whole('dimensions', 65535),
    model: text('model'),
    fingerprint,
    window: whole('window', MAX_WINDOW),
    ...(blend === undefined ? {} : { blend }),
    ...(native === undefined ? {} : { native }),
  };
}

/**
 * Settings by which documents are written to an index of this mapping; undefined where it is not set up. Throws
 * `bad_config` where a field of ours is not mapped as it must be: an engine would take the vector for a text, index
 * it as one or refuse the document.
 */
export function settingsForWriting(mappings: unknown, index: string): IndexSettings | undefined {
  const mapping = asRecord(mappings);
  const settings = settingsFromMeta(mapping['_meta'], index);
  const unfit = settings === undefined ? undefined : unfitField(mapping['properties'], settings);
  if (unfit === undefined) return settings;
  const { field, wanted, found } = unfit;
  throw new TwinrankError(
    'bad_config',
    `"${index}" names "${field}" in _meta.${META_KEY} for its vectors, but ${found === undefined ? 'has no such field' : `that field is of type ${found}`}; it must be of type ${wanted}. Run "twinrank mapping apply" again.`,
  );
}

/** A field of ours that is not mapped as it must be. */
export interface UnfitField {
  readonly field: string;
  /** Type that it must have. */
  readonly wanted: string;
  /** Type that it has; undefined where there is no such field. */
  readonly found: string | undefined;
}

/** The first field of ours that these `properties` map in another way; undefined where all are as they must be. */
export function unfitField(properties: unknown, settings: IndexSettings): UnfitField | undefined {
  const { vectorField, native } = settings;
  const fields = [
    { field: vectorField, wanted: VECTOR_FIELD_MAPPING.type },
    ...(native === undefined ? [] : [{ field: native.field, wanted: native.type }]),
  ];
  return fields
    .map(({ field, wanted }) => ({ field, wanted, found: fieldType(properties, field) }))
    .find(({ wanted, found }) => found !== wanted);
}

/** Type of a field, whose name may be a path through objects. */
function fieldType(properties: unknown, field: string): string | undefined {
  if (!isRecord(properties)) return undefined;
  const own = properties[field];
  if (isRecord(own)) return typeof own['type'] === 'string' ? own['type'] : 'object';
  for (let dot = field.indexOf('.'); dot !== -1; dot = field.indexOf('.', dot + 1)) {
    const parent = properties[field.slice(0, dot)];
    const found = isRecord(parent) ? fieldType(parent['properties'], field.slice(dot + 1)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function nativeOf(block: unknown, refuse: (what: string) => never): NativeField | undefined {
  if (block === undefined) return undefined;
  if (!isRecord(block)) return refuse('native is not an object');
  const { field, type, indexed, values } = block;
  if (!isName(field)) return refuse('native.field must be a text');
  if (type !== 'knn_vector' && type !== 'dense_vector')
    return refuse('native.type must be knn_vector or dense_vector');
  if (typeof indexed !== 'boolean') return refuse('native.indexed must be true or false');
  if (values !== 'beside' && values !== 'instead') return refuse('native.values must be beside or instead');
  return { field, type, indexed, values };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME;
}

/** Somebody's value in our error: it may be of any size and depth. */
function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return 'an object or list';
  return String(JSON.stringify(value)).slice(0, 80);
}
