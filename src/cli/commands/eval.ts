/** `twinrank eval`: the engine alone against the engine behind the proxy, on the user's own judgments. */
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { TwinrankError } from '../../errors.js';
import { parseQrels } from '../../evaluate/qrels.js';
import { parseQueries } from '../../evaluate/queries.js';
import { reportOf } from '../../evaluate/report.js';
import type { EvaluationReport } from '../../evaluate/report.js';
import { measurable, runEvaluation } from '../../evaluate/run-evaluation.js';
import type { EvaluationInput } from '../../evaluate/run-evaluation.js';
import { checkTemplate, searchBody } from '../../evaluate/search-body.js';
import { createSearcher } from '../../evaluate/search-http.js';
import type { Command, CommandIo } from '../command.js';
import { TLS_OPTIONS } from '../engine-options.js';
import { evaluationText } from '../evaluation-text.js';
import { flag, httpUrl, integer, text } from '../options.js';
import type { OptionTable, OptionValues } from '../options.js';
import { createProgressBar } from '../progress.js';

const EVAL_OPTIONS = {
  engine: {
    flag: 'engine',
    env: 'TWINRANK_EVAL_ENGINE',
    help: 'Address of the engine; it may hold credentials.',
    required: true,
    parse: httpUrl,
  },
  proxy: {
    flag: 'proxy',
    env: 'TWINRANK_EVAL_PROXY',
    help: 'Address of the rerank proxy.',
    required: true,
    parse: httpUrl,
  },
  index: { flag: 'index', env: null, help: 'Index to search.', required: true, parse: text },
  queries: {
    flag: 'queries',
    env: null,
    help: 'Queries: JSON lines {"_id", "text"}, or id<TAB>text.',
    required: true,
    parse: text,
  },
  qrels: {
    flag: 'qrels',
    env: null,
    help: 'Judgments: "query-id corpus-id score", or TREC.',
    required: true,
    parse: text,
  },
  field: {
    flag: 'field',
    env: null,
    help: 'Field to match; "title" where nothing else is given.',
    parse: text,
  },
  fields: {
    flag: 'fields',
    env: null,
    help: 'Fields to match at once (multi_match), separated by commas.',
    parse: fieldList,
  },
  bodyTemplate: {
    flag: 'body-template',
    env: null,
    help: 'File with a search body that has {{query}} inside a string.',
    parse: text,
  },
  size: { flag: 'size', env: null, help: 'Hits of a search.', default: '100', parse: integer(1, 10_000) },
  excludeEqual: {
    flag: 'exclude-equal',
    env: null,
    help: 'Leave out hits whose text in this field equals the query.',
    parse: text,
  },
  limit: {
    flag: 'limit',
    env: null,
    help: 'Only so many queries, taken from the start of the file.',
    parse: integer(1, 1_000_000),
  },
  warmUp: {
    flag: 'warm-up',
    env: null,
    help: 'Queries that are asked first and not counted.',
    default: '20',
    parse: integer(0, 10_000),
  },
  seed: {
    flag: 'seed',
    env: null,
    help: 'Seed of the order of queries and of the intervals.',
    default: '1',
    parse: integer(0, 4_294_967_295),
  },
  json: {
    flag: 'json',
    env: null,
    help: 'The report as one JSON document.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
  ...TLS_OPTIONS,
} satisfies OptionTable;

type EvalValues = OptionValues<typeof EVAL_OPTIONS>;

const RESAMPLES = 10_000;
const DEFAULT_FIELD = 'title';

export const evalCommand: Command<typeof EVAL_OPTIONS> = {
  usage: 'eval',
  summary: 'Measure the proxy against the engine on judged queries.',
  options: EVAL_OPTIONS,
  run: async (values, positionals, io) => {
    if (positionals.length > 0)
      throw new TwinrankError('bad_config', `eval takes no argument, got "${positionals[0]}".`);
    const bodyOf = await bodyFor(values);
    const input = await inputOf(values);
    const report = await evaluate(values, input, bodyOf, io);
    io.stdout.write(values.json ? `${JSON.stringify(report)}\n` : evaluationText(report));
    return report.outcomes.applied > 0 ? 0 : 1;
  },
};

async function evaluate(
  values: EvalValues,
  input: EvaluationInput,
  bodyOf: (text: string) => string,
  io: CommandIo,
): Promise<EvaluationReport> {
  const tls = {
    ...(values.ca === undefined ? {} : { ca: await readText(values.ca) }),
    rejectUnauthorized: !values.insecure,
  };
  const target = { index: values.index, textField: values.excludeEqual ?? null, tls };
  const engine = createSearcher({ url: values.engine, ...target });
  const proxy = createSearcher({ url: values.proxy, ...target });
  const total = measurable(input).queries.length;
  let done = 0;
  const progress = createProgressBar(io.stderr, () => ({ done, total, count: done, failed: 0 }), {
    label: 'Asking',
    unit: 'queries',
    everyMs: 200,
  });
  try {
    const run = await runEvaluation(
      input,
      { engine, proxy, bodyOf, onQuery: (count) => (done = count) },
      { seed: values.seed, warmUp: values.warmUp, excludeEqual: values.excludeEqual !== undefined },
      io.signal,
    );
    return reportOf(run, { resamples: RESAMPLES, seed: values.seed });
  } finally {
    progress.stop();
    engine.close();
    proxy.close();
  }
}

async function bodyFor(values: EvalValues): Promise<(text: string) => string> {
  const given = [values.field, values.fields, values.bodyTemplate].filter((value) => value !== undefined);
  if (given.length > 1)
    throw new TwinrankError('bad_config', 'Give one of --field, --fields and --body-template.');
  const template =
    values.bodyTemplate === undefined ? null : checkTemplate(await readText(values.bodyTemplate));
  const fields = values.fields ?? [values.field ?? DEFAULT_FIELD];
  const shape = { fields, size: values.size, template, sourceField: values.excludeEqual ?? null };
  return (query) => searchBody(query, shape);
}

async function inputOf(values: EvalValues): Promise<EvaluationInput> {
  const all = parseQueries(await readText(values.queries), values.queries);
  const qrels = parseQrels(await readText(values.qrels), values.qrels);
  const judged = all.filter(({ id }) => qrels.has(id));
  const queries = values.limit === undefined ? all : judged.slice(0, values.limit);
  if (measurable({ queries, qrels }).queries.length === 0) {
    const message = `None of the queries in ${values.queries} has a relevant document in ${values.qrels}; do their ids agree?`;
    throw new TwinrankError('bad_input_file', message);
  }
  return { queries, qrels };
}

async function readText(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : String(error);
    throw new TwinrankError('bad_input_file', `${path}: ${reason}.`, { cause: error });
  }
}

function fieldList(value: string): readonly string[] {
  const fields = value.split(',').map((field) => field.trim());
  if (fields.some((field) => field === ''))
    throw new Error('expected fields separated by commas, such as title,body.');
  return fields;
}
