/** The documents of a chaos run: each tells its number and version, and holds JSON that a second printing would change. */
import type { Random } from '../../src/evaluate/random.js';

/** Field that tells documents apart, whatever their id. */
export const NUMBER_FIELD = 'n';

const WORDS = [
  'red',
  'city',
  'bicycle',
  'password',
  'refund',
  'river',
  'museum',
  'engine',
  'music',
  'naïve',
  '退款',
  '密码',
  '地址',
  '自行车',
];

/** Mapping of an index for them; `mapping apply` adds ours. */
export const DOCUMENT_MAPPING = {
  dynamic: false,
  properties: { [NUMBER_FIELD]: { type: 'integer' }, title: { type: 'text' } },
} as const;

/** That many short titles, all different. */
export function titlePool(count: number, random: Random): readonly string[] {
  return Array.from({ length: count }, (_, i) => {
    const words = Array.from(
      { length: 2 + Math.floor(random() * 5) },
      () => WORDS[Math.floor(random() * WORDS.length)],
    );
    return `${words.join(' ')} ${i}`;
  });
}

/** A whole source: numbers in forms that parsing loses, an escaped slash, space, members on both sides of the title. */
export function wholeSource(n: number, version: number, title: string): string {
  return `{"n":${n}, "v":${version},"price":${n % 97}.50,"big":9007199254740993,"title":${JSON.stringify(title)},"path":"a\\/${n}", "tail":[1.0,-0.0,{}]}`;
}

/** What an update sets. */
export function partialSource(version: number, title: string): string {
  return `{"v":${version},"title":${JSON.stringify(title)}}`;
}
