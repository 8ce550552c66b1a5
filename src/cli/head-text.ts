/** A training's report as people read it. */
import { withInterval } from '../evaluate/figures.js';
import type { CalibrationFigures } from '../evaluate/head/calibration.js';
import type { Difference, HeadReport } from '../evaluate/head/head-report.js';
import { textTable } from './table.js';

/** Tables and what they mean; ends with a line end. */
export function headText(report: HeadReport): string {
  return [
    examplesLine(report),
    strengthTable(report),
    measureTable(report),
    calibrationTable(report),
    verdictLine(report),
    '',
  ].join('\n');
}

function examplesLine({ examples, folds, cross_validated_on: sample, kind, seconds }: HeadReport): string {
  const counts = Object.entries(examples).map(([name, count]) => `${count} ${name.replaceAll('_', ' ')}`);
  const share = sample === null ? '' : `; ${sample} of them, drawn at random, chose the strength`;
  const disjoint = kind === 'pairs' ? 'no text is in two of them' : 'no query is in two of them';
  return `Learned from ${counts.join(', ')}; ${folds} folds, ${disjoint}${share}; ${seconds.toFixed(1)} s.`;
}

function strengthTable({ strengths }: HeadReport): string {
  const names = Object.keys(strengths[0]?.figures ?? {});
  const rows = strengths.map(({ strength, figures, chosen }) => [
    `${strength}${chosen ? ' (chosen)' : ''}`,
    ...names.map((name) => (figures[name] ?? Number.NaN).toFixed(4)),
  ]);
  return textTable(['strength', ...names], rows, { rightAligned: names.map((_, i) => i + 1) });
}

function measureTable({ measures }: HeadReport): string {
  const rows = measures.map(({ name, cosine, anchor, head, over_anchor: gain, over_cosine: over }) => [
    name,
    ...[cosine, anchor, head].map((value) => value?.toFixed(4) ?? '-'),
    differenceText(gain),
    differenceText(over),
  ]);
  const columns = [
    'held out',
    'cosine',
    'L1 distance',
    'head',
    'over L1 [95 % interval]',
    'over cosine [95 % interval]',
  ];
  return textTable(columns, rows, { rightAligned: [1, 2, 3, 4, 5] });
}

function differenceText(difference: Difference | null): string {
  if (difference === null) return '-';
  const { mean, interval } = difference;
  return withInterval(mean, interval);
}

function calibrationTable({ calibration: { before, after } }: HeadReport): string {
  const scores = (name: string, { brier, log_loss: logLoss }: CalibrationFigures) => [
    name,
    brier.toFixed(4),
    logLoss.toFixed(4),
  ];
  const table = textTable(
    ['probabilities, held out', 'Brier', 'log loss'],
    [
      scores('as learned', before),
      scores('calibrated', after),
      ['base rate', after.base_rate_brier.toFixed(4), '-'],
    ],
    { rightAligned: [1, 2] },
  );
  const reliability = textTable(
    ['probability', 'count', 'said', 'was'],
    after.reliability.map(({ from, count, predicted, observed }) => [
      `${from.toFixed(1)} - ${(from + 0.1).toFixed(1)}`,
      String(count),
      predicted.toFixed(3),
      observed.toFixed(3),
    ]),
    { rightAligned: [1, 2, 3] },
  );
  return `${table}\n${reliability}`;
}

function verdictLine({ verdict, decided_by: measure }: HeadReport): string {
  switch (verdict) {
    case 'head':
      return `The head is better than the plain distance beyond noise (${measure}).`;
    case 'anchor':
      return (
        `The head is not better than the plain distance beyond noise (${measure}), so the plain distance is written, ` +
        'calibrated on these data. More data may show more; --force writes the learned head all the same.'
      );
    case 'head by force':
      return `The head is not better than the plain distance beyond noise (${measure}); it is written because of --force.`;
  }
}
