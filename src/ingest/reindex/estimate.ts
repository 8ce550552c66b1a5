/** What a reindex would do and take; reads only. */
import type { Encoder } from '../../model/encoder.js';
import type { EngineClient } from '../../search-engine/client.js';
import { JsonScanError } from '../../search-engine/json-scan.js';
import type { IndexSettings } from '../../search-engine/mapping-meta.js';
import { vectorMembers } from '../document-vector.js';
import { encodeTexts } from './encode-texts.js';
import { judge } from './judge.js';
import { createPageSize, DEFAULT_PAGE_LIMITS } from './page-size.js';
import { planSlices } from './plan-slices.js';
import { scanSlice } from './scan-slice.js';
import type { SliceRange } from './slice.js';
import { addSurveys, EMPTY_SURVEY, surveySlice, type Survey } from './survey-slice.js';

export interface EstimateDeps {
  readonly client: EngineClient;
  readonly encoder: Encoder;
  readonly settings: (index: string) => IndexSettings;
  readonly all: boolean;
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

/** Judges every document behind the expression and encodes a sample of what is stale. */
export async function estimate(
  deps: EstimateDeps,
  expression: string,
  signal: AbortSignal,
  onPage: (page: Survey, total: number) => void = () => undefined,
): Promise<Estimate> {
  const { slices, documents } = await planSlices(deps.client, expression, { signal });
  let survey = EMPTY_SURVEY;
  let bytes = 0;
  for (const slice of slices) {
    const one = await surveySlice(deps, slice, signal, (page) => onPage(page, documents));
    survey = addSurveys(survey, one);
    bytes += encodeCount(one) * vectorBytes(deps.settings(slice.index));
  }
  const texts = encodeCount(survey) === 0 ? [] : await sample(deps, slices, signal);
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

/** Texts to encode from all over the slices. */
async function sample(
  { client, settings, all }: EstimateDeps,
  slices: readonly SliceRange[],
  signal: AbortSignal,
): Promise<string[]> {
  const texts: string[] = [];
  for (const [n, slice] of slices.entries()) {
    // What earlier slices could not give is left to the later ones.
    const upTo = Math.ceil((SAMPLE * (n + 1)) / slices.length);
    for await (const { documents } of scanSlice(
      client,
      slice,
      slice.from,
      createPageSize(DEFAULT_PAGE_LIMITS),
      signal,
    )) {
      for (const { source } of documents) {
        const text = source === undefined ? undefined : textToEncode(source, settings(slice.index), all);
        if (text !== undefined && texts.length < upTo) texts.push(text);
      }
      if (texts.length >= upTo) break;
    }
  }
  return texts;
}

function textToEncode(source: Buffer, settings: IndexSettings, all: boolean): string | undefined {
  try {
    const judgement = judge(source, settings, all);
    return typeof judgement === 'object' && judgement.work === 'encode' ? judgement.text : undefined;
  } catch (error) {
    if (error instanceof JsonScanError) return undefined;
    throw error;
  }
}
