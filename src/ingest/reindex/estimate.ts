/** What a reindex would do and take; reads only. */
import type { Encoder } from '../../model/encoder.js';
import type { IndexSettings } from '../../search-engine/mapping-meta.js';
import { vectorMembers } from '../document-vector.js';
import { encodeTexts } from './encode-texts.js';
import { planSlices } from './plan-slices.js';
import { addSurveys, EMPTY_SURVEY, surveySlice, type Survey, type SurveyDeps } from './survey-slice.js';

export interface EstimateDeps extends SurveyDeps {
  readonly encoder: Encoder;
}

export interface Estimate {
  readonly survey: Survey;
  /** Documents that would be encoded. */
  readonly toEncode: number;
  /** Texts that were encoded to measure the rate. */
  readonly sampled: number;
  /** Seconds that encoding takes here; null where nothing could be measured. */
  readonly seconds: number | null;
  /** Bytes of the vectors in `_source`, without those that they replace taken off. */
  readonly bytes: number;
}

const SAMPLE = 256;

/** Judges every document behind the expression and encodes a sample of what is stale, from all over the slices. */
export async function estimate(
  deps: EstimateDeps,
  expression: string,
  signal: AbortSignal,
): Promise<Estimate> {
  const { slices } = await planSlices(deps.client, expression, { signal });
  let survey = EMPTY_SURVEY;
  let bytes = 0;
  const texts: string[] = [];
  for (const [n, slice] of slices.entries()) {
    // What earlier slices could not give is left to the later ones.
    const upTo = Math.ceil((SAMPLE * (n + 1)) / slices.length);
    const one = await surveySlice(deps, slice, signal, (text) => {
      if (texts.length < upTo) texts.push(text);
    });
    survey = addSurveys(survey, one);
    bytes += encodeCount(one) * vectorBytes(deps.settings(slice.index));
  }
  const started = performance.now();
  await encodeTexts(deps.encoder, texts, signal);
  const took = (performance.now() - started) / 1000;
  const characters = texts.reduce((sum, { length }) => sum + length, 0);
  const toEncode = encodeCount(survey);
  return {
    survey,
    toEncode,
    sampled: texts.length,
    seconds: toEncode === 0 ? 0 : characters === 0 ? null : (took * survey.characters) / characters,
    bytes,
  };
}

function encodeCount({ toEncode }: Survey): number {
  return Object.values(toEncode).reduce((sum, count) => sum + count, 0);
}

/** Bytes of one vector as a member of the document, its comma included. */
function vectorBytes(settings: IndexSettings): number {
  const vector = new Float32Array(settings.dimensions).fill(1);
  return vectorMembers(settings, { text: '', vector }).length + 1;
}
