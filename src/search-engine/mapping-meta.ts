/**
 * `_meta.twinrank` in an index mapping: the one source of truth for sidecar, proxy and mapping command.
 * What is written here is read back here; nothing else knows the block's form.
 */
import { TwinrankError } from '../errors.js';
import { isRecord } from './json-value.js';
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
  /** Weight of the engine's score in the order, 0 to 1; undefined leaves it to the proxy. */
  readonly blend?: number;
}

export const DEFAULT_VECTOR_FIELD = 'twinrank_vector';
export const DEFAULT_WINDOW = 100;
export const MAX_WINDOW = 10_000;
const META_KEY = 'twinrank';
const META_VERSION = 1;

/** The mapping of the vector field: stored once as doc values, not indexed, as any OpenSearch or Elasticsearch can. */
export const VECTOR_FIELD_MAPPING = { type: 'binary', doc_values: true } as const;

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
  };
  return {
    _meta: { ...otherMeta, [META_KEY]: block },
    properties: { [settings.vectorField]: VECTOR_FIELD_MAPPING },
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
    return refuse(`version is ${JSON.stringify(block['version'])}, this program knows ${META_VERSION}`);
  const text = (key: string): string => {
    const value = block[key];
    return typeof value === 'string' && value !== '' ? value : refuse(`${key} must be a text`);
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
    !fields.every((f): f is string => typeof f === 'string' && f !== '')
  ) {
    return refuse('text_fields must be a list of field names');
  }
  const codec = block['codec'];
  if (codec !== 'f32' && codec !== 'f16') return refuse('codec must be f32 or f16');
  const fingerprint = text('fingerprint');
  if (!/^[0-9a-f]{16}$/.test(fingerprint)) return refuse('fingerprint must be 16 hex characters');
  const blend = block['blend'];
  if (blend !== undefined && !(typeof blend === 'number' && blend >= 0 && blend <= 1)) {
    return refuse('blend must be a number from 0 to 1');
  }
  return {
    textFields: fields,
    vectorField: text('vector_field'),
    codec,
    dimensions: whole('dimensions', 65535),
    model: text('model'),
    fingerprint,
    window: whole('window', MAX_WINDOW),
    ...(blend === undefined ? {} : { blend }),
  };
}
