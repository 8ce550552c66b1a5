/** `twinrank model inspect [BUNDLE]`: what a bundle is, without running it. */
import { bundleFacts, type BundleFacts } from '../../../model/bundle-facts.js';
import { int8Fingerprint } from '../../../model/precision.js';
import type { OnnxTensor } from '../../../model/onnx-file.js';
import type { Command } from '../../command.js';
import { bundleAt, BUNDLE_OPTIONS } from '../../model-options.js';

export const modelInspectCommand: Command<typeof BUNDLE_OPTIONS> = {
  usage: 'inspect [bundle]',
  summary: 'Show what a bundle is: files, encoder, tokenizer, head, fingerprint.',
  options: BUNDLE_OPTIONS,
  run: async (values, [folder], io) => {
    const facts = await bundleFacts(await bundleAt(folder, values));
    io.stdout.write(values.json ? `${JSON.stringify(facts)}\n` : inspectText(facts));
    return 0;
  },
};

/** The facts for people. Pure. */
function inspectText({ folder, manifest, files, encoder, tokenizer, head, golden }: BundleFacts): string {
  const { operators, opsets } = encoder;
  const most = Object.entries(operators).sort(([, a], [, b]) => b - a);
  const facts: readonly (readonly [string, string])[] = [
    ['folder', folder],
    ['licence', manifest.license],
    ['about', manifest.description],
    ['source', manifest.source],
    [
      'fingerprint',
      `${manifest.fingerprint}; with --precision int8: ${int8Fingerprint(manifest.fingerprint)}`,
    ],
    [
      'vectors',
      `${manifest.dimensions} dimensions, ${manifest.pooling} pooling, ${manifest.normalize ? 'unit length' : 'not normalised'}`,
    ],
    ['texts', `at most ${manifest.maxTokens} tokens, pad id ${manifest.padId}`],
    [
      'prefixes',
      `query ${JSON.stringify(manifest.queryPrefix)}, document ${JSON.stringify(manifest.documentPrefix)}`,
    ],
    ['inputs', encoder.inputs.map(tensorText).join(', ')],
    ['outputs', `${encoder.outputs.map(tensorText).join(', ')}; used: ${manifest.output}`],
    [
      'graph',
      `${most
        .map(([name, count]) => `${count} ${name}`)
        .slice(0, 6)
        .join(', ')}${most.length > 6 ? ', …' : ''}`,
    ],
    [
      'opset',
      Object.entries(opsets)
        .map(([domain, version]) => `${domain} ${version}`)
        .join(', '),
    ],
    [
      'tokenizer',
      `${tokenizer.kind}, ${tokenizer.pieces} pieces; ${tokenizer.special.map(({ id, content }) => `${content} ${id}`).join(', ')}`,
    ],
    ['head', `${head.parts.length === 0 ? 'all weights are 0' : `weights for ${head.parts.join(', ')}`}`],
    ...trainingFacts(head.training),
    ['golden', `${golden.texts} texts, ${golden.pairs} pairs`],
  ];
  const width = Math.max(...files.map(({ path }) => path.length));
  const listed = files.map(
    ({ path, bytes, sha256 }) => `  ${path.padEnd(width)}  ${String(bytes).padStart(11)} bytes  ${sha256}\n`,
  );
  return (
    `${manifest.name} ${manifest.version}\n` +
    facts.map(([name, value]) => `  ${name.padEnd(12)} ${value}\n`).join('') +
    `files\n${listed.join('')}`
  );
}

/** What trainings note in common: how, on what, and how far the probability is off (Brier score). */
function trainingFacts(training: unknown): (readonly [string, string])[] {
  if (typeof training !== 'object' || training === null) return [['calibration', 'not noted']];
  const { method, trained_on: on, calibration } = training as Readonly<Record<string, unknown>>;
  const facts: (readonly [string, string])[] = [];
  if (typeof method === 'string') facts.push(['', method]);
  if (typeof on === 'string') facts.push(['trained on', on]);
  facts.push(['calibration', calibrationText(calibration)]);
  return facts;
}

function calibrationText(calibration: unknown): string {
  if (typeof calibration !== 'object' || calibration === null) return 'not noted';
  const brier = Object.entries(calibration).flatMap(([name, value]) => {
    const scores = (value ?? {}) as { brier?: unknown; base_rate_brier?: unknown };
    if (typeof scores.brier !== 'number') return [];
    const base = typeof scores.base_rate_brier === 'number' ? ` (base rate ${scores.base_rate_brier})` : '';
    return [`${name.replaceAll('_', ' ')} ${scores.brier}${base}`];
  });
  return brier.length === 0 ? 'noted without a Brier score' : `Brier score: ${brier.join('; ')}`;
}

function tensorText({ name, type, shape }: OnnxTensor): string {
  return `${name} ${type}[${shape.join(', ')}]`;
}
