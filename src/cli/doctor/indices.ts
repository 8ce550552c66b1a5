/** What doctor says of each index: is it set up, for this model, and does it take what is to come. Pure. */
import { asTwinrankError } from '../../errors.js';
import { asRecord } from '../../search-engine/json-value.js';
import { planMapping } from '../../search-engine/mapping-plan.js';
import { settingsFromMeta, vectorFields, type IndexSettings } from '../../search-engine/mapping-meta.js';
import { haveSameEncoder } from '../../search-engine/other-model.js';
import { modelFlag, textFlags, type Advice } from './advice.js';
import { fieldAt } from './field-at.js';
import type { Finding } from './finding.js';
import { templateFinding, type NextIndex } from './template.js';

/** An index as the engine shows it. */
export interface IndexFacts {
  readonly name: string;
  readonly mappings: unknown;
  /** With flat names, without defaults. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** What an index that is made anew under this name (or its data stream's) gets; undefined where nothing is known. */
  readonly next: NextIndex | undefined;
}

/** Of the model that is used. */
export interface ModelIdentity {
  readonly name: string;
  readonly fingerprint: string;
  readonly dimensions: number;
}

const DEFAULT_MAX_RESULT_WINDOW = 10_000;
const BLOCKS = ['index.blocks.read_only', 'index.blocks.read_only_allow_delete', 'index.blocks.write'];

/** The settings of an index that can be used, or what is wrong with them. */
export function settingsOf(facts: IndexFacts, advice: Advice): IndexSettings | Finding {
  const { name, mappings } = facts;
  const apply = `twinrank mapping apply --to ${advice.to} --index ${name}${modelFlag(advice)}`;
  const fail = (message: string, remedy: string): Finding => ({
    check: 'mapping',
    index: name,
    status: 'fail',
    message,
    remedy,
  });
  let settings: IndexSettings | undefined;
  try {
    settings = settingsFromMeta(asRecord(mappings)['_meta'], name);
  } catch (error) {
    return fail(asTwinrankError(error).message, `${apply} --text FIELD`);
  }
  if (settings === undefined)
    return fail(
      'It is not set up: its mapping has no _meta.twinrank.',
      `${apply} --text FIELD, then twinrank reindex --to ${advice.to} --index ${name}`,
    );
  const missing = vectorFields(settings).filter((field) => fieldAt(mappings, field) === undefined);
  if (missing.length > 0)
    return fail(
      `Its mapping has no field ${missing.map((field) => `"${field}"`).join(' and ')}, which _meta.twinrank names.`,
      `${apply}${settings.textFields.map((field) => ` --text ${field}`).join('')}; or, where field-level security hides the field from these credentials, look with others`,
    );
  try {
    planMapping(name, mappings, settings, false);
  } catch (error) {
    return fail(
      asTwinrankError(error).message,
      'Make a new index with the right mapping, and reindex into it: twinrank reindex --dest.',
    );
  }
  return settings;
}

/** All but the vectors of an index that is set up. */
export function indexFindings(
  facts: IndexFacts,
  settings: IndexSettings,
  model: ModelIdentity | undefined,
  advice: Advice,
): readonly Finding[] {
  const { textFields, vectorField, codec, dimensions } = settings;
  return [
    {
      check: 'mapping',
      index: facts.name,
      status: 'ok',
      message: `${textFields.join(', ')} -> ${vectorField} (${codec}, ${dimensions} dimensions), window ${settings.window}.`,
    },
    modelFinding(facts, settings, model, advice),
    textFieldsFinding(facts, settings),
    sourceFinding(facts, settings),
    windowFinding(facts, settings),
    blocksFinding(facts),
    templateFinding(facts.name, facts.next, settings, advice),
  ];
}

function modelFinding(
  { name }: IndexFacts,
  settings: IndexSettings,
  model: ModelIdentity | undefined,
  advice: Advice,
): Finding {
  const check = 'index-model';
  if (model === undefined)
    return { check, index: name, status: 'skipped', message: 'There is no usable model to compare it with.' };
  const own = `${settings.model} (${settings.fingerprint}, ${settings.dimensions} dimensions)`;
  if (haveSameEncoder(settings, model))
    return { check, index: name, status: 'ok', message: `It is set up for this model, ${own}.` };
  return {
    check,
    index: name,
    status: 'fail',
    message: `It is set up for ${own}, but the model here is ${model.name} (${model.fingerprint}, ${model.dimensions} dimensions): searches keep the engine's order.`,
    remedy: `Start the services with --model FOLDER of ${settings.model}; or change the index: twinrank mapping apply --to ${advice.to} --index ${name}${textFlags(settings)}${modelFlag(advice)} --force, then twinrank reindex --to ${advice.to} --index ${name}${modelFlag(advice)}`,
  };
}

function textFieldsFinding({ name, mappings }: IndexFacts, { textFields }: IndexSettings): Finding {
  const check = 'text-fields';
  const unknown = textFields.filter((field) => fieldAt(mappings, field) === undefined);
  if (unknown.length === 0)
    return { check, index: name, status: 'ok', message: `The mapping has ${textFields.join(', ')}.` };
  return {
    check,
    index: name,
    status: 'warn',
    message: `No document has ever had ${unknown.map((field) => `"${field}"`).join(', ')}, whose text is to be encoded; or these credentials may not see it.`,
    remedy:
      'If the name is wrong: twinrank mapping apply with the right --text and --force, then twinrank reindex.',
  };
}

function sourceFinding({ name, mappings }: IndexFacts, settings: IndexSettings): Finding {
  const check = 'source';
  const { warnings } = planMapping(name, mappings, settings, false);
  const source = asRecord(asRecord(mappings)['_source']);
  const excludes = [source['excludes']].flat().map(String);
  const lost = settings.textFields.filter((field) => excludes.includes(field));
  const all = [
    ...warnings,
    ...(lost.length > 0
      ? [`"${name}" excludes ${lost.join(', ')} from _source: reindex cannot read the text.`]
      : []),
  ];
  if (all.length === 0)
    return { check, index: name, status: 'ok', message: 'Documents keep their whole _source.' };
  return {
    check,
    index: name,
    status: 'warn',
    message: all.join(' '),
    remedy:
      'The _source settings of an index cannot be changed: make a new one without them and copy the documents through the sidecar.',
  };
}

/** Most hits that the index gives to one search. */
export function mostHits({ settings: flat }: IndexFacts): number {
  return Number(flat['index.max_result_window'] ?? DEFAULT_MAX_RESULT_WINDOW);
}

function windowFinding(facts: IndexFacts, { window }: IndexSettings): Finding {
  const check = 'window';
  const { name } = facts;
  const most = mostHits(facts);
  if (window <= most)
    return {
      check,
      index: name,
      status: 'ok',
      message: `The window of ${window} is within max_result_window, ${most}.`,
    };
  return {
    check,
    index: name,
    status: 'warn',
    message: `The window of ${window} is above index.max_result_window, ${most}: only ${most} hits are reranked.`,
    remedy: `twinrank mapping apply with --window ${most}, or raise index.max_result_window.`,
  };
}

function blocksFinding({ name, settings: flat }: IndexFacts): Finding {
  const check = 'blocks';
  const blocks = BLOCKS.filter((block) => String(flat[block]) === 'true');
  if (blocks.length === 0) return { check, index: name, status: 'ok', message: 'It takes writes.' };
  const isFull = blocks.includes('index.blocks.read_only_allow_delete');
  return {
    check,
    index: name,
    status: 'warn',
    message: `It takes no writes (${blocks.join(', ')}).`,
    remedy: isFull
      ? 'The engine sets this when its disk is nearly full: free some space; it takes the block away by itself, or set it to null.'
      : 'If that is not meant, set the block to null. A reindex with --swap that was broken off may have left it: twinrank jobs list.',
  };
}
