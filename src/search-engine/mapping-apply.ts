/** Writes settings into an index or an index template, and reads them back. Idempotent. */
import { TwinrankError } from '../errors.js';
import { reasonOf, type EngineAnswer, type EngineClient } from './client.js';
import { encodeExpression } from './index-settings.js';
import { asRecord, isRecord } from './json-value.js';
import { detectNativeSupport, unmetSettings, type NeededSetting } from './native-support.js';
import { planMapping, type MappingPlan } from './mapping-plan.js';
import type { IndexSettings } from './mapping-meta.js';

/** What was done. */
export interface Applied {
  readonly plan: MappingPlan;
  readonly created: boolean;
}

/** Sets up an index, made where it does not exist. Throws `mapping_conflict`, `upstream_answer`. */
export async function applyToIndex(
  client: EngineClient,
  index: string,
  wanted: IndexSettings,
  force: boolean,
  signal: AbortSignal,
): Promise<Applied> {
  const path = `/${encodeExpression(index)}`;
  const needed = await neededSettings(client, wanted, signal);
  const present = await client.request({ method: 'GET', path: `${path}/_mapping`, signal });
  if (present.status === 404) {
    const plan = planMapping(index, undefined, wanted, force);
    if (plan.kind === 'apply')
      expectSuccess(
        await client.request({
          method: 'PUT',
          path,
          body: { ...settingsOf(needed), mappings: plan.body },
          signal,
        }),
        `create "${index}"`,
        client,
      );
    return { plan, created: true };
  }
  expectSuccess(present, `read the mapping of "${index}"`, client);
  let last: MappingPlan | undefined;
  // An alias or data stream may stand for several indices: each is planned before any is changed.
  const plans = Object.entries(asRecord(present.body)).map(([name, entry]) => ({
    name,
    plan: planMapping(name, isRecord(entry) ? entry['mappings'] : undefined, wanted, force),
  }));
  const warnings = await requireSettings(client, index, needed, signal);
  for (const { name, plan } of plans) {
    if (plan.kind === 'apply') {
      expectSuccess(
        await client.request({
          method: 'PUT',
          path: `/${encodeExpression(name)}/_mapping`,
          body: plan.body,
          signal,
        }),
        `change the mapping of "${name}"`,
        client,
      );
    }
    if (last === undefined || plan.kind === 'apply') last = plan;
  }
  if (last === undefined)
    throw new TwinrankError('upstream_answer', `${client.address} knows no index behind "${index}".`);
  return { plan: { ...last, warnings: [...last.warnings, ...warnings] }, created: false };
}

/** What the engine's own vector field needs of an index; nothing where there is none. Throws where the engine cannot. */
async function neededSettings(
  client: EngineClient,
  { native, dimensions }: IndexSettings,
  signal: AbortSignal,
): Promise<readonly NeededSetting[]> {
  if (native === undefined) return [];
  return (await detectNativeSupport(client, dimensions, native.values, signal)).settings;
}

function settingsOf(needed: readonly NeededSetting[]): { readonly settings?: Record<string, boolean> } {
  if (needed.length === 0) return {};
  return { settings: Object.fromEntries(needed.map(({ name, value }) => [name, value])) };
}

/** Throws where an index behind the name has settings that a vector field cannot live with; returns warnings. */
async function requireSettings(
  client: EngineClient,
  index: string,
  needed: readonly NeededSetting[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (needed.length === 0) return [];
  const path = `/${encodeExpression(index)}/_settings?flat_settings=true`;
  const answer = await client.request({ method: 'GET', path, signal });
  expectSuccess(answer, `read the settings of "${index}"`, client);
  const warnings: string[] = [];
  for (const [name, entry] of Object.entries(asRecord(answer.body))) {
    const unmet = unmetSettings(needed, asRecord(asRecord(entry)['settings']));
    if (unmet.refusal !== undefined) {
      const { name: setting, value, because } = unmet.refusal;
      throw new TwinrankError(
        'mapping_conflict',
        `"${name}" was made without ${setting}=${value} (${because}), and only a new index can have it. Set a new index up ` +
          'with the same command and bring the documents over with "twinrank reindex --dest", or use --storage binary.',
      );
    }
    for (const { name: setting, value, because } of unmet.warnings)
      warnings.push(`"${name}" was made without ${setting}=${value}: ${because}.`);
  }
  return warnings;
}

/** Sets up a composable index template; `patterns` may be empty where it exists already. */
export async function applyToTemplate(
  client: EngineClient,
  template: string,
  patterns: readonly string[],
  wanted: IndexSettings,
  force: boolean,
  signal: AbortSignal,
): Promise<Applied> {
  const needed = await neededSettings(client, wanted, signal);
  const path = `/_index_template/${encodeURIComponent(template)}`;
  const present = await client.request({ method: 'GET', path, signal });
  if (present.status !== 404) expectSuccess(present, `read the template "${template}"`, client);
  const old = present.status === 404 ? undefined : existingTemplate(present);
  if (old === undefined && patterns.length === 0) {
    throw new TwinrankError(
      'bad_config',
      `The template "${template}" does not exist yet: say which indices it is for with --pattern.`,
    );
  }
  const body = asRecord(old?.['template']);
  const mappings = asRecord(body['mappings']);
  const plan = planMapping(template, mappings, wanted, force);
  const oldPatterns = old?.['index_patterns'];
  const samePatterns = patterns.length === 0 || JSON.stringify(oldPatterns) === JSON.stringify(patterns);
  const unmet = needed.filter(
    ({ name, value }) => String(settingAt(body['settings'], name)) !== String(value),
  );
  if (plan.kind === 'unchanged' && samePatterns && unmet.length === 0) return { plan, created: false };
  const ours = plan.kind === 'apply' ? plan.body : mappings;
  const merged = {
    ...old,
    index_patterns: patterns.length > 0 ? patterns : oldPatterns,
    template: {
      ...body,
      ...(needed.length === 0
        ? {}
        : { settings: { ...asRecord(body['settings']), ...settingsOf(unmet).settings } }),
      mappings: {
        ...mappings,
        ...ours,
        properties: { ...asRecord(mappings['properties']), ...asRecord(ours['properties']) },
      },
    },
  };
  expectSuccess(
    await client.request({ method: 'PUT', path, body: merged, signal }),
    `write the template "${template}"`,
    client,
  );
  return {
    plan:
      plan.kind === 'apply'
        ? plan
        : {
            kind: 'apply',
            settings: plan.settings,
            body: {},
            changes: [...(samePatterns ? [] : ['index_patterns']), ...unmet.map(({ name }) => name)],
            warnings: plan.warnings,
          },
    created: old === undefined,
  };
}

function existingTemplate(answer: EngineAnswer): Record<string, unknown> | undefined {
  const list = isRecord(answer.body) ? answer.body['index_templates'] : undefined;
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  const template = isRecord(first) ? first['index_template'] : undefined;
  return isRecord(template) ? template : undefined;
}

/** A setting of a template, which may be written flat or nested, with or without "index." before it. */
function settingAt(settings: unknown, name: string): unknown {
  const short = name.replace(/^index\./, '');
  const within = (part: unknown, path: string): unknown => {
    if (!isRecord(part)) return undefined;
    if (part[path] !== undefined) return part[path];
    for (let dot = path.indexOf('.'); dot !== -1; dot = path.indexOf('.', dot + 1)) {
      const found = within(part[path.slice(0, dot)], path.slice(dot + 1));
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return within(settings, name) ?? within(settings, short);
}

function expectSuccess(answer: EngineAnswer, what: string, client: EngineClient): void {
  if (answer.status >= 200 && answer.status < 300) return;
  const reason = reasonOf(answer);
  const type = /No handler for type \[(knn_vector|dense_vector)\]/.exec(reason)?.[1];
  if (type !== undefined || reason.includes('unknown setting [index.knn]')) {
    const remedy =
      type === 'dense_vector'
        ? "It comes with Elastic's default distribution, not with the one under Apache-2"
        : 'Install the opensearch-knn plugin on every node';
    throw new TwinrankError(
      'bad_config',
      `${client.address} has no ${type ?? 'knn_vector'} fields (${reason}). ${remedy}, or use --storage binary.`,
    );
  }
  throw new TwinrankError('upstream_answer', `${client.address} would not ${what}: ${reason}.`);
}
