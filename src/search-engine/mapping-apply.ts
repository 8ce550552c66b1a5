/** Writes settings into an index or an index template, and reads them back. Idempotent. */
import { TwinrankError } from '../errors.js';
import { reasonOf, type EngineAnswer, type EngineClient } from './client.js';
import { encodeExpression } from './index-settings.js';
import { isRecord } from './json-value.js';
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
  const present = await client.request({ method: 'GET', path: `${path}/_mapping`, signal });
  if (present.status === 404) {
    const plan = planMapping(index, undefined, wanted, force);
    if (plan.kind === 'apply')
      expectSuccess(
        await client.request({ method: 'PUT', path, body: { mappings: plan.body }, signal }),
        `create "${index}"`,
        client,
      );
    return { plan, created: true };
  }
  expectSuccess(present, `read the mapping of "${index}"`, client);
  let last: MappingPlan | undefined;
  // An alias or data stream may stand for several indices: each is planned before any is changed.
  const plans = Object.entries(isRecord(present.body) ? present.body : {}).map(([name, entry]) => ({
    name,
    plan: planMapping(name, isRecord(entry) ? entry['mappings'] : undefined, wanted, force),
  }));
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
  return { plan: last, created: false };
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
  const body = isRecord(old?.['template']) ? old['template'] : {};
  const mappings = isRecord(body['mappings']) ? body['mappings'] : {};
  const plan = planMapping(template, mappings, wanted, force);
  const oldPatterns = old?.['index_patterns'];
  const samePatterns = patterns.length === 0 || JSON.stringify(oldPatterns) === JSON.stringify(patterns);
  if (plan.kind === 'unchanged' && samePatterns) return { plan, created: false };
  const ours = plan.kind === 'apply' ? plan.body : mappings;
  const merged = {
    ...old,
    index_patterns: patterns.length > 0 ? patterns : oldPatterns,
    template: {
      ...body,
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
        : { kind: 'apply', body: {}, changes: ['index_patterns'], warnings: plan.warnings },
    created: old === undefined,
  };
}

function existingTemplate(answer: EngineAnswer): Record<string, unknown> | undefined {
  const list = isRecord(answer.body) ? answer.body['index_templates'] : undefined;
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  const template = isRecord(first) ? first['index_template'] : undefined;
  return isRecord(template) ? template : undefined;
}

function asRecord(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

function expectSuccess(answer: EngineAnswer, what: string, client: EngineClient): void {
  if (answer.status >= 200 && answer.status < 300) return;
  throw new TwinrankError('upstream_answer', `${client.address} would not ${what}: ${reasonOf(answer)}.`);
}
