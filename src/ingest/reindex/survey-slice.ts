/** What a reindex would have to do with a slice. Writes nothing and needs no model. */
import type { EngineClient } from '../../search-engine/client.js';
import { JsonScanError } from '../../search-engine/json-scan.js';
import type { IndexSettings } from '../../search-engine/mapping-meta.js';
import { judge, type EncodeReason, type Judgement } from './judge.js';
import { createPageSize, DEFAULT_PAGE_LIMITS } from './page-size.js';
import { scanSlice } from './scan-slice.js';
import type { SliceRange } from './slice.js';

/** Documents by what is to be done with them. */
export interface Survey {
  readonly documents: number;
  readonly fresh: number;
  readonly noText: number;
  /** Have a vector but no text. */
  readonly toRemove: number;
  readonly toEncode: Readonly<Record<EncodeReason, number>>;
  /** Characters of the texts to encode, from which the time can be estimated. */
  readonly characters: number;
  /** Their source cannot be read. */
  readonly unreadable: number;
}

export const EMPTY_SURVEY: Survey = {
  documents: 0,
  fresh: 0,
  noText: 0,
  toRemove: 0,
  toEncode: { missing: 0, stale: 0, other_model: 0, malformed: 0, other_storage: 0, all: 0 },
  characters: 0,
  unreadable: 0,
};

export interface SurveyDeps {
  readonly client: EngineClient;
  readonly settings: (index: string) => IndexSettings;
  readonly all: boolean;
}

/** Judges every document of a slice. `onText` is told of each text to encode. */
export async function surveySlice(
  deps: SurveyDeps,
  slice: SliceRange,
  signal: AbortSignal,
  onText: (text: string) => void,
): Promise<Survey> {
  const settings = deps.settings(slice.index);
  const size = createPageSize(DEFAULT_PAGE_LIMITS);
  let survey = EMPTY_SURVEY;
  for await (const { documents } of scanSlice(deps.client, slice, slice.from, size, signal)) {
    for (const { source } of documents) {
      const judgement = judged(source, settings, deps.all);
      survey = addSurveys(survey, surveyOf(judgement));
      if (typeof judgement === 'object' && judgement.work === 'encode') onText(judgement.text);
    }
  }
  return survey;
}

function judged(source: Buffer | undefined, settings: IndexSettings, all: boolean): Judgement | 'unreadable' {
  if (source === undefined) return 'unreadable';
  try {
    return judge(source, settings, all);
  } catch (error) {
    if (error instanceof JsonScanError) return 'unreadable';
    throw error;
  }
}

function surveyOf(judgement: Judgement | 'unreadable'): Survey {
  const one = { ...EMPTY_SURVEY, documents: 1 };
  if (judgement === 'unreadable') return { ...one, unreadable: 1 };
  if (judgement === 'fresh') return { ...one, fresh: 1 };
  if (judgement === 'no_text') return { ...one, noText: 1 };
  if (judgement.work === 'remove') return { ...one, toRemove: 1 };
  const { why, text } = judgement;
  return { ...one, toEncode: { ...one.toEncode, [why]: 1 }, characters: text.length };
}

/** Sums. */
export function addSurveys(a: Survey, b: Survey): Survey {
  return {
    documents: a.documents + b.documents,
    fresh: a.fresh + b.fresh,
    noText: a.noText + b.noText,
    toRemove: a.toRemove + b.toRemove,
    toEncode: {
      missing: a.toEncode.missing + b.toEncode.missing,
      stale: a.toEncode.stale + b.toEncode.stale,
      other_model: a.toEncode.other_model + b.toEncode.other_model,
      malformed: a.toEncode.malformed + b.toEncode.malformed,
      other_storage: a.toEncode.other_storage + b.toEncode.other_storage,
      all: a.toEncode.all + b.toEncode.all,
    },
    characters: a.characters + b.characters,
    unreadable: a.unreadable + b.unreadable,
  };
}
