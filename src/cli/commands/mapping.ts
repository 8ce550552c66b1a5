/** `twinrank mapping apply|show`: writes the vector field and `_meta.twinrank` into an index or template, or shows them. */
import { TwinrankError } from '../../errors.js';
import { reasonOf, type EngineClient } from '../../search-engine/client.js';
import { readSettings, settingsByIndex } from '../../search-engine/index-settings.js';
import { applyToIndex, applyToTemplate } from '../../search-engine/mapping-apply.js';
import {
  DEFAULT_NATIVE_FIELD,
  DEFAULT_VECTOR_FIELD,
  DEFAULT_WINDOW,
  MAX_WINDOW,
  vectorFields,
  type IndexSettings,
  type NativeField,
} from '../../search-engine/mapping-meta.js';
import { detectNativeSupport } from '../../search-engine/native-support.js';
import type { Command, CommandIo } from '../command.js';
import { engineClient, TLS_OPTIONS } from '../engine-options.js';
import { bundleOf, MODEL_OPTIONS } from '../model-options.js';
import {
  blend,
  flag,
  httpUrl,
  integer,
  oneOf,
  text,
  type OptionTable,
  type OptionValues,
} from '../options.js';

const OPTIONS = {
  to: { flag: 'to', env: 'OPENSEARCH_URL', help: 'Address of the engine.', required: true, parse: httpUrl },
  index: {
    flag: 'index',
    env: 'TWINRANK_MAPPING_INDEX',
    help: 'Index, alias or data stream; made if it does not exist.',
    parse: text,
  },
  template: {
    flag: 'template',
    env: 'TWINRANK_MAPPING_TEMPLATE',
    help: 'Index template to set up instead of an index.',
    parse: text,
  },
  pattern: {
    flag: 'pattern',
    env: 'TWINRANK_MAPPING_PATTERN',
    help: 'Index pattern of the template; may be given several times.',
    many: true,
    parse: text,
  },
  text: {
    flag: 'text',
    env: 'TWINRANK_MAPPING_TEXT',
    help: 'Field whose text is encoded; may be given several times, the texts are joined. Default: title.',
    many: true,
    parse: text,
  },
  vectorField: {
    flag: 'vector-field',
    env: 'TWINRANK_MAPPING_VECTOR_FIELD',
    help: 'Field that holds the vector.',
    default: DEFAULT_VECTOR_FIELD,
    parse: text,
  },
  codec: {
    flag: 'codec',
    env: 'TWINRANK_MAPPING_CODEC',
    help: 'How vectors are stored: f16 (half the size) or f32.',
    default: 'f16',
    parse: oneOf('f16', 'f32'),
  },
  storage: {
    flag: 'storage',
    env: 'TWINRANK_MAPPING_STORAGE',
    help: "Where vectors are: binary, both (the engine's own vector field beside it) or native (that one instead).",
    default: 'binary',
    parse: oneOf('binary', 'both', 'native'),
  },
  nativeField: {
    flag: 'native-field',
    env: 'TWINRANK_MAPPING_NATIVE_FIELD',
    help: "The engine's own vector field: knn_vector on OpenSearch, dense_vector on Elasticsearch.",
    default: DEFAULT_NATIVE_FIELD,
    parse: text,
  },
  window: {
    flag: 'window',
    env: 'TWINRANK_MAPPING_WINDOW',
    help: 'How many hits are reranked.',
    default: String(DEFAULT_WINDOW),
    parse: integer(1, MAX_WINDOW),
  },
  blend: {
    flag: 'blend',
    env: 'TWINRANK_MAPPING_BLEND',
    help: "Weight of the engine's score in the order, 0 to 1 or auto. Left as it is if not given; where there is none, the proxy decides.",
    parse: blend,
  },
  force: {
    flag: 'force',
    env: null,
    help: 'Accept changes that put stored vectors out of date.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
  json: { flag: 'json', env: null, help: 'Print JSON.', default: 'false', boolean: true, parse: flag },
  model: MODEL_OPTIONS.model,
  precision: MODEL_OPTIONS.precision,
  ...TLS_OPTIONS,
} satisfies OptionTable;

type Values = OptionValues<typeof OPTIONS>;

export const mappingCommand: Command<typeof OPTIONS> = {
  usage: 'mapping <action>',
  summary: 'Set up an index or template for vectors (apply), or show its set-up (show).',
  actions: ['apply', 'show'],
  options: OPTIONS,
  run: async (values, [action], io) => {
    if (action !== 'apply' && action !== 'show')
      throw new TwinrankError(
        'bad_config',
        `"mapping ${action ?? ''}" is unknown: say "mapping apply" or "mapping show".`,
      );
    if ((values.index === undefined) === (values.template === undefined)) {
      throw new TwinrankError('bad_config', 'Give either --index or --template, and not both.');
    }
    if (values.pattern.length > 0 && values.template === undefined)
      throw new TwinrankError('bad_config', '--pattern belongs to --template.');
    const client = engineClient(values.to, values);
    try {
      return action === 'apply' ? await apply(client, values, io) : await show(client, values, io);
    } finally {
      await client.close();
    }
  },
};

async function apply(client: EngineClient, values: Values, io: CommandIo): Promise<number> {
  const { manifest, dimensions, fingerprint } = await bundleOf(values);
  const native = await nativeField(client, values, dimensions, io.signal);
  const wanted: IndexSettings = {
    textFields: values.text.length > 0 ? values.text : ['title'],
    vectorField: values.vectorField,
    codec: values.codec,
    dimensions,
    model: manifest.name,
    fingerprint,
    window: values.window,
    ...(values.blend === undefined ? {} : { blend: values.blend }),
    ...(native === undefined ? {} : { native }),
  };
  const fields = [...wanted.textFields, ...vectorFields(wanted)];
  if (new Set(fields).size < new Set(wanted.textFields).size + vectorFields(wanted).length) {
    throw new TwinrankError(
      'bad_config',
      '--vector-field and --native-field must differ from each other and from the text fields.',
    );
  }
  const name = values.index ?? values.template ?? '';
  const done =
    values.template === undefined
      ? await applyToIndex(client, name, wanted, values.force, io.signal)
      : await applyToTemplate(client, name, values.pattern, wanted, values.force, io.signal);
  const { plan, created } = done;
  if (values.json)
    io.stdout.write(
      `${JSON.stringify({ name, created, changed: plan.kind === 'apply', changes: plan.kind === 'apply' ? plan.changes : [], warnings: plan.warnings, settings: plan.settings })}\n`,
    );
  else {
    const what =
      plan.kind === 'unchanged'
        ? 'is set up already, nothing to change'
        : created
          ? 'is made and set up'
          : `is set up (${plan.changes.join('; ')})`;
    io.stdout.write(`${name} ${what}.\n`);
    for (const warning of plan.warnings) io.stderr.write(`Warning: ${warning}\n`);
  }
  return 0;
}

/** The engine's own vector field, as the engine has it. Throws `bad_config` where it has none. */
async function nativeField(
  client: EngineClient,
  { storage, nativeField: field }: Values,
  dimensions: number,
  signal: AbortSignal,
): Promise<NativeField | undefined> {
  if (storage === 'binary') return undefined;
  const values = storage === 'both' ? 'beside' : 'instead';
  const { type, indexed } = await detectNativeSupport(client, dimensions, values, signal);
  return { field, type, indexed, values };
}

async function show(client: EngineClient, values: Values, io: CommandIo): Promise<number> {
  const byName =
    values.template === undefined
      ? await readSettings(client, values.index ?? '', io.signal)
      : await templateSettings(client, values.template, io);
  if (values.json) io.stdout.write(`${JSON.stringify(Object.fromEntries(byName))}\n`);
  else {
    for (const [name, s] of byName) {
      io.stdout.write(
        `${name}\n  text fields    ${s.textFields.join(', ')}\n  vector field   ${s.vectorField} (${s.codec}, ${s.dimensions} dimensions)\n` +
          (s.native === undefined
            ? ''
            : `  native field   ${s.native.field} (${s.native.type}, ${s.native.values})\n`) +
          `  model          ${s.model} (${s.fingerprint})\n  window         ${s.window}\n` +
          (s.blend === undefined ? '' : `  blend          ${s.blend}\n`),
      );
    }
  }
  if (byName.size > 0) return 0;
  io.stderr.write(
    `${values.index ?? values.template ?? ''} is not set up for twinrank. Run "twinrank mapping apply".\n`,
  );
  return 1;
}

async function templateSettings(
  client: EngineClient,
  template: string,
  io: CommandIo,
): Promise<Map<string, IndexSettings>> {
  const answer = await client.request({
    method: 'GET',
    path: `/_index_template/${encodeURIComponent(template)}`,
    signal: io.signal,
  });
  if (answer.status !== 200)
    throw new TwinrankError(
      'upstream_answer',
      `The template "${template}" cannot be read: ${reasonOf(answer)}.`,
    );
  const list =
    (answer.body as { index_templates?: { name: string; index_template: { template?: unknown } }[] })
      .index_templates ?? [];
  return settingsByIndex(
    Object.fromEntries(list.map((entry) => [entry.name, entry.index_template.template])),
  );
}
