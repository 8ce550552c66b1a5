/**
 * Settings of the indices that a request names, read from their mappings through the service's own connection
 * and kept for a few seconds. Callers' credentials are never used here: a role that may only read documents
 * would be refused, and an answer must not depend on who asked first.
 */
import { TwinrankError } from '../errors.js';
import { reasonOf, type EngineAnswer, type EngineClient } from './client.js';
import { asRecord, isRecord } from './json-value.js';
import { legacyMappings } from './legacy-templates.js';
import { settingsForWriting, settingsFromMeta, type IndexSettings } from './mapping-meta.js';
import { settingsCache } from './settings-cache.js';

/** Settings by concrete index; a Map is one. */
export type SettingsByIndex = Pick<ReadonlyMap<string, IndexSettings>, 'get' | 'size' | 'values'>;

/** What the indices of a search say. */
export interface SettingsOf {
  readonly byIndex: SettingsByIndex;
  /** Smallest `index.max_result_window` of the indices named. */
  readonly maxResultWindow: number;
  /** Every configured index keeps its `_source` as it was sent: not switched off, nothing left out. */
  readonly sourcesAreWhole: boolean;
}

export interface SettingsReader {
  /** Settings of every configured index that a search's index expression covers; none configured gives an empty map. */
  forSearch(expression: string): Promise<SettingsOf>;
  /**
   * Settings that a write to this index, alias or data stream falls under, be it through a template; else undefined.
   * While the engine cannot answer, those known last go on.
   */
  forWrite(index: string): Promise<WriteSettings | undefined>;
}

/** Settings that a write falls under. */
export interface WriteSettings extends IndexSettings {
  /** The index that is written to, where the name covers several: to read a document back, one must be named. */
  readonly writeIndex?: string;
}

export interface SettingsReaderOptions {
  /** How long an answer is believed, in milliseconds. */
  readonly ttlMs?: number;
  /** How long a write's settings are asked for while the engine cannot answer, in milliseconds. */
  readonly patienceMs?: number;
  readonly now?: () => number;
  /**
   * Held to be every index's settings where the engine will not show its mapping (401, 403). A wrong guess does no
   * harm: vectors say by which model and from which text they were made.
   */
  readonly assumed?: IndexSettings | undefined;
}

const DEFAULT_TTL_MS = 5_000;
/** Engine default of `index.max_result_window`. */
const DEFAULT_MAX_RESULT_WINDOW = 10_000;

/** A reader over the engine's mapping API. */
export function createSettingsReader(
  client: EngineClient,
  options: SettingsReaderOptions = {},
): SettingsReader {
  const cached = settingsCache(options.ttlMs ?? DEFAULT_TTL_MS, options.now ?? Date.now);
  const outage = { patienceMs: options.patienceMs ?? 0 };
  return {
    forSearch: (expression) =>
      cached(`search ${expression}`, () => readForSearch(client, expression, options.assumed)),
    forWrite: (index) => cached(`write ${index}`, () => readForWrite(client, index, options.assumed), outage),
  };
}

async function readForSearch(
  client: EngineClient,
  expression: string,
  assumed: IndexSettings | undefined,
): Promise<SettingsOf> {
  const target = expression === '' ? '' : `/${encodeExpression(expression)}`;
  const lenient = 'ignore_unavailable=true&allow_no_indices=true';
  const [mappings, windows] = await Promise.all([
    client.request({ method: 'GET', path: `${target}/_mapping?${lenient}` }),
    client.request({
      method: 'GET',
      path: `${target}/_settings/index.max_result_window?${lenient}&flat_settings=true`,
    }),
  ]);
  if (mappings.status === 404)
    return { byIndex: new Map(), maxResultWindow: DEFAULT_MAX_RESULT_WINDOW, sourcesAreWhole: true };
  if (assumed !== undefined && isRefusal(mappings.status)) return everyIndex(assumed);
  if (mappings.status !== 200) throw unreadable(client, expression, mappings);
  const byIndex = settingsByIndex(mappings.body);
  return {
    byIndex,
    sourcesAreWhole: [...byIndex.keys()].every((index) => keepsWholeSource(mappings.body, index)),
    maxResultWindow: windows.status === 200 ? smallestWindow(windows.body) : DEFAULT_MAX_RESULT_WINDOW,
  };
}

async function readForWrite(
  client: EngineClient,
  index: string,
  assumed: IndexSettings | undefined,
): Promise<WriteSettings | undefined> {
  const name = encodeExpression(index);
  const mapping = await client.request({ method: 'GET', path: `/${name}/_mapping` });
  if (mapping.status === 200) {
    const indices = isRecord(mapping.body) ? Object.keys(mapping.body) : [];
    const written = await writeIndex(client, name, indices);
    if (written === undefined) return undefined;
    const settings = settingsForWriting(mappingOf(mapping.body, written), written);
    return settings === undefined || indices.length < 2 ? settings : { ...settings, writeIndex: written };
  }
  if (assumed !== undefined && isRefusal(mapping.status)) return assumed;
  if (mapping.status !== 404) throw unreadable(client, index, mapping);
  // The index will be made by this very write: the templates say what it will be.
  const made = missingIndex(mapping.body) ?? index;
  return settingsForWriting(await mappingsOfNewIndex(client, made), index);
}

/**
 * Mappings that an index gets from the templates when it is made under this name; undefined where none matches, or
 * none may be looked at. Throws `not_ready` where the engine cannot answer for now.
 */
export async function mappingsOfNewIndex(
  client: EngineClient,
  index: string,
  signal?: AbortSignal,
): Promise<unknown> {
  const simulate = `/_index_template/_simulate_index/${encodeExpression(index)}`;
  const template = await client.request({ method: 'POST', path: simulate, signal });
  if (isForNow(template.status)) throw unreadable(client, index, template);
  const body = template.status === 200 && isRecord(template.body) ? template.body['template'] : undefined;
  // Where one of the newer kind matches, those of the older kind have no say.
  return isRecord(body) ? body['mappings'] : legacyMappings(client, index);
}

/** The index that is not there: of a name with a date in it, only the engine's answer says which. */
function missingIndex(body: unknown): string | undefined {
  const error = isRecord(body) ? body['error'] : undefined;
  const index = isRecord(error) ? error['index'] : undefined;
  return typeof index === 'string' && index !== '' ? index : undefined;
}

/** Of several indices behind one name, the one that is written to: an alias marks it, a data stream writes to its newest. */
async function writeIndex(
  client: EngineClient,
  name: string,
  indices: readonly string[],
): Promise<string | undefined> {
  if (indices.length < 2) return indices[0];
  const aliases = await client.request({ method: 'GET', path: `/_alias/${name}` });
  if (isForNow(aliases.status)) throw unreadable(client, name, aliases);
  for (const [index, entry] of Object.entries(asRecord(aliases.body))) {
    const marks = isRecord(entry) && isRecord(entry['aliases']) ? Object.values(entry['aliases']) : [];
    if (marks.some((mark) => isRecord(mark) && mark['is_write_index'] === true)) return index;
  }
  return [...indices].sort().at(-1);
}

/** Configured indices of a `_mapping` answer. Throws `bad_config` for a block that cannot be used. */
export function settingsByIndex(body: unknown): Map<string, IndexSettings> {
  const byIndex = new Map<string, IndexSettings>();
  if (!isRecord(body)) return byIndex;
  for (const [index, entry] of Object.entries(body)) {
    const mappings = isRecord(entry) ? entry['mappings'] : undefined;
    const settings = settingsFromMeta(isRecord(mappings) ? mappings['_meta'] : undefined, index);
    if (settings !== undefined) byIndex.set(index, settings);
  }
  return byIndex;
}

/** Settings of every configured index behind the name. Throws `upstream_answer` where the engine does not show them. */
export async function readSettings(
  client: EngineClient,
  index: string,
  signal: AbortSignal,
): Promise<Map<string, IndexSettings>> {
  const path = `/${encodeExpression(index)}/_mapping`;
  const answer = await client.request({ method: 'GET', path, signal });
  if (answer.status === 200) return settingsByIndex(answer.body);
  throw new TwinrankError(
    'upstream_answer',
    `The mapping of "${index}" cannot be read: ${reasonOf(answer)}.`,
  );
}

function isRefusal(status: number): boolean {
  return status === 401 || status === 403;
}

/** The same settings for whatever index a hit comes from. */
function everyIndex(settings: IndexSettings): SettingsOf {
  return {
    byIndex: { get: () => settings, size: 1, values: () => [settings].values() },
    maxResultWindow: DEFAULT_MAX_RESULT_WINDOW,
    sourcesAreWhole: true,
  };
}

/** The mapping of one index in a `_mapping` answer. */
function mappingOf(body: unknown, index: string): unknown {
  const entry = isRecord(body) ? body[index] : undefined;
  return isRecord(entry) ? entry['mappings'] : undefined;
}

function keepsWholeSource(body: unknown, index: string): boolean {
  const mappings = mappingOf(body, index);
  const source = isRecord(mappings) ? mappings['_source'] : undefined;
  return (
    !isRecord(source) ||
    (source['enabled'] !== false && source['includes'] === undefined && source['excludes'] === undefined)
  );
}

function smallestWindow(body: unknown): number {
  let smallest = DEFAULT_MAX_RESULT_WINDOW;
  let seen = Infinity;
  if (!isRecord(body)) return smallest;
  for (const entry of Object.values(body)) {
    const settings = isRecord(entry) ? entry['settings'] : undefined;
    const value = Number(
      isRecord(settings)
        ? (settings['index.max_result_window'] ?? DEFAULT_MAX_RESULT_WINDOW)
        : DEFAULT_MAX_RESULT_WINDOW,
    );
    if (Number.isFinite(value)) seen = Math.min(seen, value);
  }
  if (seen !== Infinity) smallest = seen;
  return smallest;
}

/** The expression as a path segment: commas and wildcards keep their meaning, all else is encoded. */
export function encodeExpression(expression: string): string {
  return encodeURIComponent(expression).replaceAll('%2C', ',').replaceAll('%2A', '*');
}

function isForNow(status: number): boolean {
  return status === 429 || status >= 500;
}

function unreadable(client: EngineClient, what: string, answer: EngineAnswer): TwinrankError {
  const said = `The mapping of "${what}" cannot be read from ${client.address} (${reasonOf(answer)}). `;
  return isForNow(answer.status)
    ? new TwinrankError('not_ready', `${said}Try again when the engine is well.`)
    : new TwinrankError(
        'upstream_answer',
        `${said}On a secured cluster give the service credentials that may read mappings, in the upstream address.`,
      );
}
