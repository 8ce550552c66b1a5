/** `twinrank eval`: the engine alone against the engine behind the proxy, on the user's own judgments. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TwinrankError } from '../../errors.js';
import { isAbove } from '../../evaluate/advice.js';
import { belowBars, worseThanEngine } from '../../evaluate/bars.js';
import { htmlReport } from '../../evaluate/html-report.js';
import type { ShownSettings } from '../../evaluate/html-report.js';
import { unknownDocuments } from '../../evaluate/judged-documents.js';
import { metricsAt } from '../../evaluate/metrics.js';
import { beirFiles, readInput, readInputText } from '../../evaluate/read-input.js';
import { metricReport, REPORT_DEFAULTS, reportOf } from '../../evaluate/report.js';
import type { EvaluationReport, ReportOptions } from '../../evaluate/report.js';
import { runEvaluation } from '../../evaluate/run-evaluation.js';
import type { EvaluationInput, EvaluationRun } from '../../evaluate/run-evaluation.js';
import { checkTemplate, searchBody } from '../../evaluate/search-body.js';
import { createSearcher } from '../../evaluate/search-http.js';
import { createEngineClient, withoutCredentials } from '../../search-engine/client.js';
import type { EngineClient } from '../../search-engine/client.js';
import { writeBlend } from '../../search-engine/write-blend.js';
import type { Command, CommandIo } from '../command.js';
import { searchTls } from '../engine-options.js';
import { EVAL_OPTIONS } from '../eval-options.js';
import type { EvalValues } from '../eval-options.js';
import { evaluationText } from '../evaluation-text.js';
import { withProgressBar } from '../progress.js';

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
    const client = createEngineClient(values.engine, { caFile: values.ca, insecure: values.insecure });
    try {
      await warnOfUnknown(client, values, input, io);
      const run = await ask(values, input, bodyOf, io);
      const options = reportOptions(values);
      const report = reportOf(run, options);
      io.stdout.write(values.json ? `${JSON.stringify(report)}\n` : evaluationText(report));
      if (values.html !== undefined)
        await writeHtml(values.html, htmlReport(report, run, values.metric, settingsOf(values)));
      if (values.writeBlend) await writeTunedBlend(client, values.index, report, io);
      const isSound = clearsBars(values, run, options, io);
      return isSound && report.outcomes.applied > 0 ? 0 : 1;
    } finally {
      await client.close();
    }
  },
};

function reportOptions({ at, metric, folds, seed }: EvalValues): ReportOptions {
  return {
    metrics: at === undefined ? REPORT_DEFAULTS.metrics : metricsAt(at),
    deciding: metric,
    folds,
    resamples: REPORT_DEFAULTS.resamples,
    seed,
  };
}

/** What the report's figures depend on; addresses without their credentials. */
function settingsOf(values: EvalValues): ShownSettings {
  return {
    engine: withoutCredentials(values.engine),
    proxy: withoutCredentials(values.proxy),
    index: values.index,
    queries: values.beir ?? values.queries ?? '',
    judgments: values.beir === undefined ? (values.qrels ?? '') : `split ${values.split}`,
    search: values.bodyTemplate ?? `match ${fieldsOf(values).join(', ')}`,
    'hits of a search': values.size,
    'equal candidates': values.excludeEqual === undefined ? 'kept' : `left out by ${values.excludeEqual}`,
    'deciding metric': values.metric.name,
    folds: values.folds,
    resamples: REPORT_DEFAULTS.resamples,
    seed: values.seed,
  };
}

async function writeHtml(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((error: unknown) => {
    throw new TwinrankError('bad_config', `--html: ${file} cannot be written (${String(error)}).`, {
      cause: error,
    });
  });
}

async function ask(
  values: EvalValues,
  input: EvaluationInput,
  bodyOf: (text: string) => string,
  io: CommandIo,
): Promise<EvaluationRun> {
  const target = {
    index: values.index,
    textField: values.excludeEqual ?? null,
    titleField: titleFieldOf(values),
    tls: await searchTls(values),
  };
  const engine = createSearcher({ url: values.engine, ...target });
  // The scores of both sides come with the one search, so that other orders can be computed from it.
  const proxy = createSearcher({ url: values.proxy, ...target, wish: 'scores' });
  try {
    return await withProgressBar(io.stderr, { label: 'Asking', unit: 'queries' }, (onQuery) =>
      runEvaluation(
        input,
        { engine, proxy, bodyOf, onQuery },
        { seed: values.seed, warmUp: values.warmUp, excludeEqual: values.excludeEqual !== undefined },
        io.signal,
      ),
    );
  } finally {
    engine.close();
    proxy.close();
  }
}

async function bodyFor(values: EvalValues): Promise<(text: string) => string> {
  const given = [values.field, values.fields, values.bodyTemplate].filter((value) => value !== undefined);
  if (given.length > 1)
    throw new TwinrankError('bad_config', 'Give one of --field, --fields and --body-template.');
  const template =
    values.bodyTemplate === undefined ? null : checkTemplate(await readInputText(values.bodyTemplate));
  const sourceFields = [values.excludeEqual, titleFieldOf(values)].filter((field) => field !== undefined);
  const shape = { fields: fieldsOf(values), size: values.size, template, sourceFields };
  return (query) => searchBody(query, shape);
}

function fieldsOf({ fields, field }: EvalValues): readonly string[] {
  return fields ?? [field ?? DEFAULT_FIELD];
}

/** Undefined where nobody will see a title. */
function titleFieldOf(values: EvalValues): string | undefined {
  if (values.html === undefined) return undefined;
  return values.titleField ?? fieldsOf(values)[0]?.replace(/\^.*$/, '');
}

async function inputOf({ beir, split, queries, qrels, limit }: EvalValues): Promise<EvaluationInput> {
  if (beir !== undefined) {
    if (queries !== undefined || qrels !== undefined)
      throw new TwinrankError('bad_config', 'Give either --beir, or --queries and --qrels.');
    return readInput(await beirFiles(beir, split), limit);
  }
  if (queries === undefined || qrels === undefined)
    throw new TwinrankError(
      'bad_config',
      'Say what is measured: --queries FILE and --qrels FILE, or --beir FOLDER.',
    );
  return readInput({ queries, qrels }, limit);
}

/** The file of judgments, as far as the options name it. */
function judgmentsOf({ beir, split, qrels }: EvalValues): string {
  return beir === undefined ? (qrels ?? '') : join(beir, 'qrels', `${split}.tsv`);
}

async function warnOfUnknown(
  client: EngineClient,
  values: EvalValues,
  input: EvaluationInput,
  io: CommandIo,
): Promise<void> {
  const { index } = values;
  const file = judgmentsOf(values);
  const { judged, unknown } = await unknownDocuments(client, index, input, file, io.signal);
  if (unknown.length === 0) return;
  const examples = unknown
    .slice(0, 3)
    .map((id) => `"${id}"`)
    .join(', ');
  io.stderr.write(
    `Warning: ${file}: ${unknown.length} of ${judged} judged documents are not in "${index}" (${examples}${unknown.length > 3 ? ', ...' : ''}); no order can find them. Load them, or name the index that has them.\n`,
  );
}

async function writeTunedBlend(
  client: EngineClient,
  index: string,
  { orders }: EvaluationReport,
  io: CommandIo,
): Promise<void> {
  if (orders === null) {
    io.stderr.write('The blend is not written: the proxy showed no scores to tune it by.\n');
    return;
  }
  if (!isAbove(orders.blend_held_out)) {
    io.stderr.write('The blend is not written: on held-out queries it is not above the engine.\n');
    return;
  }
  const names = await writeBlend(client, index, orders.weight, io.signal);
  io.stderr.write(`The blend ${orders.weight} is written into ${names.join(', ')}.\n`);
}

/** Names every bar that is not cleared. */
function clearsBars(values: EvalValues, run: EvaluationRun, options: ReportOptions, io: CommandIo): boolean {
  const measured = values.failBelow.map(({ metric }) => metricReport(run, metric, options));
  const below = [
    ...belowBars(measured, values.failBelow),
    ...(values.failIfWorse ? worseThanEngine(metricReport(run, values.metric, options)) : []),
  ];
  for (const line of below) io.stderr.write(`Below the bar: ${line}.\n`);
  return below.length === 0;
}
