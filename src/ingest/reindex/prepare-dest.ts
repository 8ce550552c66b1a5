/** The index that a copy goes into. */
import { TwinrankError } from '../../errors.js';
import type { EngineClient } from '../../search-engine/client.js';
import { encodeExpression } from '../../search-engine/index-settings.js';
import { asRecord, isRecord } from '../../search-engine/json-value.js';
import { mappingBody, settingsFromMeta, type IndexSettings } from '../../search-engine/mapping-meta.js';
import { mustSucceed } from './expect-success.js';

/** Key below `_meta` of the new index: whose copy it is, and the settings that it is to have when it is complete. */
const COPY_KEY = 'twinrank_copy';
/** Settings of the copying, by which a copy takes a fraction of the time. */
const WHILE_COPYING: Readonly<Record<string, string>> = {
  'index.number_of_replicas': '0',
  'index.refresh_interval': '-1',
  // It has worked on the documents when they were first written.
  'index.final_pipeline': '_none',
};
/** Setting that would bring replicas all the same. */
const AUTO_EXPAND = 'index.auto_expand_replicas';
/** Settings that belong to one index, or that the engine gives by itself. */
const NOT_COPIED =
  /^index\.(uuid|creation_date.*|provided_name|version\..*|blocks\..*|resize\..*|routing\.allocation\.initial_recovery\..*|history\..*|verified_before_close|hidden|frozen|search\.throttled|lifecycle\..*|store\.snapshot\..*)$/;

/** The model that the copy's vectors are of. */
export interface CopyModel {
  readonly name: string;
  readonly fingerprint: string;
  readonly dimensions: number;
}

export interface PreparedDest {
  /** The one concrete index behind the source expression. */
  readonly source: string;
  readonly settings: IndexSettings;
  readonly created: boolean;
}

/**
 * Makes `dest` from the settings and mapping of the source, or finds it as an earlier call, or `mapping apply`, has
 * made it. Can be repeated, also by several workers at once. Throws `bad_config` with what is in the way.
 */
export async function prepareDest(
  client: EngineClient,
  expression: string,
  dest: string,
  model: CopyModel,
  signal: AbortSignal,
): Promise<PreparedDest> {
  const { index: source, settings: flat, mappings } = await describe(client, expression, signal);
  if (source === dest) throw new TwinrankError('bad_config', `--dest "${dest}" is the source itself.`);
  const body = {
    settings: copySettings(flat),
    mappings: await copyMappings(client, source, dest, flat, mappings, model, signal),
  };
  if (body.mappings !== undefined) {
    const answer = await client.request({ method: 'PUT', path: `/${encodeExpression(dest)}`, body, signal });
    const error = asRecord(asRecord(answer.body)['error']);
    if (answer.status !== 200 && error['type'] !== 'resource_already_exists_exception') {
      throw new TwinrankError(
        'upstream_answer',
        `${client.address} would not create "${dest}": ${answer.status} ${String(error['reason'] ?? '')}`,
      );
    }
    if (answer.status === 200) return { source, settings: settingsOf(dest, body.mappings), created: true };
  }
  const present = await describe(client, dest, signal);
  if (present.index !== dest)
    throw new TwinrankError(
      'bad_config',
      `--dest "${dest}" is an alias of "${present.index}"; name an index that is new.`,
    );
  const settings = settingsOf(dest, present.mappings);
  const copyOf = copyMark(present.mappings)?.['source'];
  if (copyOf === undefined) await adopt(client, source, present, settings, signal);
  else if (copyOf !== source)
    throw new TwinrankError('bad_config', `"${dest}" is a copy of "${String(copyOf)}", not of "${source}".`);
  return { source, settings, created: false };
}

/** The settings that {@link prepareDest} would give a `dest` that is not there yet; makes nothing. */
export async function settingsOfNewDest(
  client: EngineClient,
  expression: string,
  dest: string,
  model: CopyModel,
  signal: AbortSignal,
): Promise<IndexSettings> {
  const { index, mappings } = await describe(client, expression, signal);
  return copiedSettings(client, index, dest, mappings, model);
}

/** Gives the complete copy the replicas, refresh interval and pipeline of its source, and refreshes it. Can be repeated. */
export async function finishDest(client: EngineClient, dest: string, signal: AbortSignal): Promise<void> {
  const { mappings } = await describe(client, dest, signal);
  const { restore, ...mark } = copyMark(mappings) ?? {};
  if (isRecord(restore)) {
    const path = `/${encodeExpression(dest)}`;
    await mustSucceed(client, `restore the settings of "${dest}"`, {
      method: 'PUT',
      path: `${path}/_settings`,
      body: restore,
      signal,
    });
    const meta = asRecord(mappings['_meta']);
    await mustSucceed(client, `change the mapping of "${dest}"`, {
      method: 'PUT',
      path: `${path}/_mapping`,
      body: { _meta: { ...meta, [COPY_KEY]: mark } },
      signal,
    });
  }
  await mustSucceed(client, `refresh "${dest}"`, {
    method: 'POST',
    path: `/${encodeExpression(dest)}/_refresh`,
    signal,
  });
}

/** Settings for a new index from the flat settings of another, with those of the copying. */
export function copySettings(flat: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept = Object.entries(flat).filter(([key]) => !NOT_COPIED.test(key) && key !== AUTO_EXPAND);
  return { ...Object.fromEntries(kept), ...WHILE_COPYING };
}

/** What the new index gets when it is complete; null is the engine's default. */
export function settingsToRestore(flat: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    [...Object.keys(WHILE_COPYING), AUTO_EXPAND].map((key) => [key, flat[key] ?? null]),
  );
}

interface Described {
  readonly index: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly mappings: Readonly<Record<string, unknown>>;
}

async function describe(client: EngineClient, expression: string, signal: AbortSignal): Promise<Described> {
  const path = `/${encodeExpression(expression)}?flat_settings=true`;
  const answer = await mustSucceed(client, `show "${expression}"`, { method: 'GET', path, signal });
  const found = Object.entries(asRecord(answer.body));
  const [only, ...others] = found;
  if (only === undefined || others.length > 0) {
    throw new TwinrankError(
      'bad_config',
      `"${expression}" stands for ${found.length} indices; --dest copies one index into one. Name one, or reindex in place (without --dest).`,
    );
  }
  const [index, body] = only;
  const entry = asRecord(body);
  return {
    index,
    settings: asRecord(entry['settings']),
    mappings: asRecord(entry['mappings']),
  };
}

/** Mapping for the new index; undefined where it exists. */
async function copyMappings(
  client: EngineClient,
  source: string,
  dest: string,
  flat: Readonly<Record<string, unknown>>,
  mappings: Readonly<Record<string, unknown>>,
  model: CopyModel,
  signal: AbortSignal,
): Promise<Record<string, unknown> | undefined> {
  const present = await client.request({ method: 'HEAD', path: `/${encodeExpression(dest)}`, signal });
  if (present.status === 200) return undefined;
  const meta = asRecord(mappings['_meta']);
  const settings = copiedSettings(client, source, dest, mappings, model);
  const ours = mappingBody(settings, { ...meta, [COPY_KEY]: { source, restore: settingsToRestore(flat) } });
  const properties = asRecord(mappings['properties']);
  return { ...mappings, _meta: ours._meta, properties: { ...properties, ...ours.properties } };
}

/** The settings of the source, for vectors of the given model. */
function copiedSettings(
  client: EngineClient,
  source: string,
  dest: string,
  mappings: Readonly<Record<string, unknown>>,
  { name, fingerprint, dimensions }: CopyModel,
): IndexSettings {
  const old = settingsFromMeta(mappings['_meta'], source);
  if (old !== undefined) return { ...old, model: name, fingerprint, dimensions };
  throw new TwinrankError(
    'bad_config',
    `Neither "${source}" nor "${dest}" is set up, so nothing says which text is to be encoded. ` +
      `First run: twinrank mapping apply --to ${client.address} --index ${source} --text FIELD`,
  );
}

function settingsOf(dest: string, mappings: Readonly<Record<string, unknown>>): IndexSettings {
  const settings = settingsFromMeta(mappings['_meta'], dest);
  if (settings !== undefined) return settings;
  throw new TwinrankError(
    'bad_config',
    `"${dest}" exists and is not set up. Delete it, so that it is made anew, or run twinrank mapping apply --index ${dest} first.`,
  );
}

function copyMark(mappings: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  const meta = asRecord(mappings['_meta']);
  const mark = meta[COPY_KEY];
  return isRecord(mark) ? mark : undefined;
}

/** An empty index that somebody has made ready becomes the copy; one with documents could lose them as left-overs. */
async function adopt(
  client: EngineClient,
  source: string,
  { index: dest, mappings }: Described,
  settings: IndexSettings,
  signal: AbortSignal,
): Promise<void> {
  const path = `/${encodeExpression(dest)}`;
  await mustSucceed(client, `refresh "${dest}"`, { method: 'POST', path: `${path}/_refresh`, signal });
  const count = await mustSucceed(client, `count "${dest}"`, {
    method: 'GET',
    path: `${path}/_count`,
    signal,
  });
  if (!isRecord(count.body) || count.body['count'] !== 0) {
    throw new TwinrankError(
      'bad_config',
      `"${dest}" holds documents that are not a copy of "${source}". Name an index that is new or empty.`,
    );
  }
  const meta = asRecord(mappings['_meta']);
  const body = mappingBody(settings, { ...meta, [COPY_KEY]: { source } });
  await mustSucceed(client, `change the mapping of "${dest}"`, {
    method: 'PUT',
    path: `${path}/_mapping`,
    body: { _meta: body._meta },
    signal,
  });
}
