/** What a sample of documents says of the vectors of an index. Pure. */
import type { EncodeReason } from '../../ingest/reindex/judge.js';
import { wilsonInterval } from './interval.js';
import type { Advice } from './advice.js';
import type { Finding } from './finding.js';

/** How many of a sample's documents are in which state. */
export interface VectorSample {
  /** In the whole index. */
  readonly documents: number;
  readonly sampled: number;
  readonly fresh: number;
  /** Have no text and, as it should be, no vector. */
  readonly noText: number;
  /** Have a vector, but no text any more. */
  readonly toRemove: number;
  readonly unfit: Readonly<Partial<Record<EncodeReason, number>>>;
  /** No `_source`, or one that is no JSON. */
  readonly unreadable: number;
}

const WORDS: Readonly<Record<EncodeReason, string>> = {
  missing: 'missing',
  stale: 'stale (the text has changed)',
  other_model: 'of another model',
  malformed: 'malformed',
  other_storage: 'stored otherwise than the index is set up for',
  all: 'to be made anew',
};
/** Below this share of fresh vectors most hits cannot be reranked. */
const LEAST_SHARE = 0.5;

/** @param titlesPerSecond of this machine, for the time of a reindex; undefined where it was not measured */
export function vectorsFinding(
  index: string,
  sample: VectorSample,
  textFields: readonly string[],
  titlesPerSecond: number | undefined,
  advice: Advice,
): Finding {
  const check = 'vectors';
  const { documents, sampled, fresh, noText, toRemove, unfit, unreadable } = sample;
  const data = { ...sample };
  if (sampled === 0) return { check, index, status: 'ok', message: 'It has no documents yet.', data };
  const lacking = Object.values(unfit).reduce((sum, count) => sum + count, 0);
  const withText = fresh + lacking;
  const isAll = sampled >= documents;
  const whole = isAll
    ? `all of its ${documents} ${documents === 1 ? 'document' : 'documents'}`
    : `${sampled} of ${documents} documents, taken at random`;
  const fields = textFields.map((field) => `"${field}"`).join(', ');
  if (unreadable === sampled)
    return {
      check,
      index,
      status: 'warn',
      message: `The documents show no _source (${whole} looked at), so nothing can be said of their vectors.`,
      remedy: 'Give credentials that may read documents; an index without _source cannot be reindexed.',
      data,
    };
  if (withText === 0 && toRemove === 0)
    return {
      check,
      index,
      status: 'warn',
      message: `No document has a text in ${fields}; looked at: ${whole}.`,
      remedy: `Look whether that is the right field (twinrank mapping show), and whether these credentials may see it.`,
      data,
    };
  const share = withText === 0 ? 0 : fresh / withText;
  const [low, high] = wilsonInterval(fresh, withText);
  const interval = isAll ? '' : ` (95 % interval ${percent(low)} to ${percent(high)})`;
  const others = [
    ...Object.entries(unfit).map(([reason, count]) => `${count} ${WORDS[reason as EncodeReason]}`),
    ...(toRemove > 0 ? [`${toRemove} left over without a text`] : []),
    ...(unreadable > 0 ? [`${unreadable} without _source`] : []),
  ];
  const without = noText > 0 ? `; ${noText} have no text` : '';
  const message = `${percent(share)} of the vectors are fresh${interval}: ${whole}, ${fresh} fresh${others.map((other) => `, ${other}`).join('')}${without}.`;
  if (lacking + toRemove === 0) return { check, index, status: 'ok', message, data };
  const many = (documents * lacking) / sampled;
  const time =
    titlesPerSecond === undefined ? '' : ` (about ${duration(many / titlesPerSecond)} of encoding here)`;
  const model = advice.model === undefined ? '' : ` --model ${advice.model}`;
  return {
    check,
    index,
    status: share < LEAST_SHARE ? 'fail' : 'warn',
    message,
    remedy: `twinrank reindex --to ${advice.to} --index ${index}${model}${time}; and send every write through the sidecar`,
    data,
  };
}

function percent(share: number): string {
  // Not "100.0 %" where one of many is missing.
  const tenths = share < 1 ? Math.min(999, Math.round(share * 1000)) : 1000;
  return `${(tenths / 10).toFixed(1)} %`;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
