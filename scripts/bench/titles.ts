/**
 * Titles to encode: the questions and titles of the help centre in examples/, cut and joined anew, so that there are
 * as many as a benchmark wants, all distinct, of the lengths and in the two languages that people write.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom } from '../../src/evaluate/random.js';
import { PROJECT_ROOT } from '../project-root.js';

const CHINESE = /[\u4e00-\u9fff]/;

export interface TitleSource {
  /** That many titles of which none was given before. */
  take(count: number): string[];
}

/** A source whose titles are the same in every run with the same seed. */
export async function titleSource(seed: number): Promise<TitleSource> {
  const texts = await helpCentreTexts();
  const languages = [texts.filter((text) => CHINESE.test(text)), texts.filter((text) => !CHINESE.test(text))];
  const random = createRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const given = new Set<string>();
  const next = (): string => {
    const language = pick(languages);
    const [a, b] = [pick(language), pick(language)];
    const separator = CHINESE.test(a) ? '' : ' ';
    const [head, tail] = [a.split(separator), b.split(separator)];
    const from = Math.floor(random() * tail.length);
    return [...head.slice(0, 1 + Math.floor(random() * head.length)), ...tail.slice(from)].join(separator);
  };
  return {
    take: (count) => {
      const titles: string[] = [];
      while (titles.length < count) {
        const title = next();
        if (given.has(title)) continue;
        given.add(title);
        titles.push(title);
      }
      return titles;
    },
  };
}

async function helpCentreTexts(): Promise<string[]> {
  const texts: string[] = [];
  for (const [file, field] of [
    ['corpus.jsonl', 'title'],
    ['queries.jsonl', 'text'],
  ] as const) {
    const lines = await readFile(join(PROJECT_ROOT, 'examples', 'help-centre', file), 'utf8');
    for (const line of lines.trim().split('\n'))
      texts.push((JSON.parse(line) as Record<string, string>)[field] ?? '');
  }
  return texts;
}
