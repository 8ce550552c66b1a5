/** The engine's answer, reordered and cut to the page: every byte that is not ours stays. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hitVector, vectorCuts, type VectorHiding } from '../../../src/rerank/hit-vector.js';
import { jsonNumber, spliceResponse, type Rearrangement } from '../../../src/rerank/response-splice.js';
import { scanResponse } from '../../../src/rerank/search-response.js';
import type { IndexSettings } from '../../../src/search-engine/mapping-meta.js';
import { encodePayload, hashText } from '../../../src/search-engine/vector-payload.js';
import { randomJson } from '../search-engine/random-json.js';

const KEEP: Rearrangement = {
  positions: [],
  scoreOf: () => undefined,
  maxScore: undefined,
  cutsOf: () => [],
  took: 5,
};

function spliced(text: string, change: Partial<Rearrangement>): string {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat(spliceResponse(bytes, scanResponse(bytes), { ...KEEP, ...change })).toString('utf8');
}

describe('an answer', () => {
  it('left in its order is the same but for took', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = randomJson(seed);
      const space = random.whitespace;
      const hits = Array.from(
        { length: random.below(5) },
        (_, i) =>
          `${space()}{"_index":"i",${space()}"_id":"${i}","_score":1.0,"_source":${random.object(3)}}${space()}`,
      );
      const before = `${space()}{"aggregations":{"hits":{"hits":[{"_index":"no","hits":[]}]}},"took":`;
      const after = `${space()},"hits":{${space()}"total":1,"hits":[${hits.join(',')}]},"z":${random.value(2)}}`;
      const positions = hits.map((_, i) => i);
      assert.equal(spliced(`${before}1${after}`, { positions }), `${before}5${after}`, `seed ${seed}`);
    }
  });

  it('is reordered, scored and cut to the page with the bytes of each hit kept', () => {
    const source =
      '{"n": 9007199254740993, "x": 1.0, "z": -0.0, "a": 1, "a": 2, "s": "\\u00e9", "hits": {"hits": []}, "_score": 7}';
    const hit = (id: string, score: string): string =>
      `{"_index":"i","_id":"${id}","_score":${score},"_source":${source},"highlight":{"t":["<em>x</em>"]},"inner_hits":{"p":{"hits":{"max_score":1.5,"hits":[{"_index":"i","_score":1.5}]}}}}`;
    const answer = (took: string, max: string, hits: string[]): string =>
      `{"took":${took},"timed_out":false,"_shards":{"total":1},"hits":{"total":{"value":3,"relation":"eq"},"max_score":${max},"hits":[${hits.join(',')}]},"aggregations":{"top":{"hits":{"max_score":9.0,"hits":[{"_index":"i","_score":9.0}]}}},"suggest":{}}`;
    const text = answer('1', '3.5', [hit('a', '3.5'), hit('b', '2.0'), hit('c', 'null')]);
    const change = { positions: [2, 0], scoreOf: (i: number) => [0.25, 0.5, 1][i], maxScore: 1 };
    assert.equal(spliced(text, change), answer('5', '1.0', [hit('c', '1.0'), hit('a', '0.25')]));
  });

  it('keeps the layout of pretty printing', () => {
    const hit = (id: string): string =>
      `{\n        "_index" : "i",\n        "_id" : "${id}",\n        "_score" : 1.0\n      }`;
    const pretty = (...hits: string[]): string =>
      `{\n  "took" : 5,\n  "hits" : {\n    "max_score" : null,\n    "hits" : [\n      ${hits.join(',\n      ')}\n    ]\n  }\n}\n`;
    const text = pretty(hit('a'), hit('b'), hit('c'));
    assert.equal(spliced(text, { positions: [2, 1] }), pretty(hit('c'), hit('b')));
    assert.equal(
      spliced(text, { positions: [] }).replaceAll(/\s/g, ''),
      '{"took":5,"hits":{"max_score":null,"hits":[]}}',
    );
    const none = '{"took":5,"hits":{"max_score":null,"hits":[ ]}}';
    assert.equal(spliced(none, { positions: [], maxScore: undefined }), none);
  });

  it('gets a score where the engine gave none, and keeps max_score where there is none of ours', () => {
    const text = '{"hits":{"hits":[{"_index":"i"},{"_index":"j"}],"max_score":null}}';
    const change = { positions: [1, 0], scoreOf: (i: number) => (i === 1 ? 1e-9 : undefined) };
    assert.equal(
      spliced(text, change),
      '{"hits":{"hits":[{"_score":1e-9,"_index":"j"},{"_index":"i"}],"max_score":null}}',
    );
  });

  it('has scores that typed clients read as floats', () => {
    for (const [value, text] of [
      [0, '0.0'],
      [1, '1.0'],
      [0.5, '0.5'],
      [1e-7, '1e-7'],
      [1e21, '1e+21'],
    ] as const)
      assert.equal(jsonNumber(value), text);
  });

  it('that is no search answer is a JsonScanError', () => {
    for (const text of [
      '',
      'null',
      '{}',
      '{"hits":[]}',
      '{"hits":{}}',
      '{"hits":{"hits":{}}}',
      '{"hits":{"hits":[1]}}',
      '{"hits":{"hits":[{}]}}',
      '{"hits":{"hits":[{"_index":1}]}}',
      '{"hits":{"hits":[',
      '{"\\xhits":1,"hits":{"hits":[]}} x',
      '{"hits":{"hits":[{"_index":"\\x","a":1}]}}',
      '\x1f\x8b\x08',
    ])
      assert.throws(() => scanResponse(Buffer.from(text, 'latin1')), { name: 'JsonScanError' }, text);
  });
});

describe('the vector of a hit', () => {
  const settings: IndexSettings = {
    textFields: ['title'], vectorField: 'vec', codec: 'f32', dimensions: 2, model: 'm', fingerprint: '0123456789abcdef', window: 10,
  }; // prettier-ignore
  const payload = encodePayload({
    codec: 'f32',
    fingerprint: settings.fingerprint,
    textHash: hashText('x'),
    vector: Float32Array.of(1, 2),
  });

  const read = (hit: string, wholeSource = true, of: IndexSettings | undefined = settings): unknown => {
    const bytes = Buffer.from(`{"hits":{"hits":[{"_index":"i",${hit}}]}}`);
    const [ranges] = scanResponse(bytes).hits;
    assert.ok(ranges);
    const vector = hitVector(bytes, ranges, of, settings, wholeSource);
    return typeof vector === 'string' ? vector : [...vector];
  };
  const cutFrom = (hit: string, hide: VectorHiding): string => {
    const text = `{"hits":{"hits":[{"_index":"i"${hit}}]}}`;
    const bytes = Buffer.from(text);
    return spliced(text, {
      positions: [0],
      cutsOf: (ranges) => vectorCuts(bytes, ranges, hide),
    }).slice(30, -4);
  };

  it('is read from _source or from fields', () => {
    assert.deepEqual(read(`"_source":{"vec":"${payload}","title":"x"}`), [1, 2]);
    assert.deepEqual(read(`"fields":{"vec":["${payload}"]}`, false), [1, 2]);
    assert.deepEqual(read(`"_source":{"title":"other"},"fields":{"vec":["${payload}"]}`, false), [1, 2]);
  });

  it('has its values in the field of the engine itself where its header says so', () => {
    const native = { field: 'knn', type: 'knn_vector', indexed: true, values: 'instead' } as const;
    const header = encodePayload({
      codec: 'native',
      fingerprint: settings.fingerprint,
      textHash: hashText('x'),
      vector: Float32Array.of(1, 2),
    });
    const of = { ...settings, native };
    const source = (knn: string): string => `"_source":{"vec":"${header}",${knn}"title":"x"}`;
    assert.deepEqual(read(source('"knn":[ 1.50,\n-2E0 ],'), true, of), [1.5, -2]);
    assert.deepEqual(read(`"fields":{"vec":["${header}"],"knn":[0.5,3]}`, false, of), [0.5, 3]);
    assert.deepEqual(read(`"_source":{"knn":[0.5,3]},"fields":{"vec":["${header}"]}`, false, of), [0.5, 3]);
    // A payload that holds its values itself is read as ever.
    assert.deepEqual(read(`"_source":{"vec":"${payload}","title":"x"}`, true, of), [1, 2]);
    for (const [knn, reason] of [
      ['', 'missing'],
      ['"knn":null,', 'missing'],
      ['"knn":"1,2",', 'missing'],
      ['"knn":[1],', 'malformed'],
      ['"knn":[1,"2"],', 'malformed'],
      ['"knn":[1,1e400],', 'not_finite'],
    ] as const)
      assert.equal(read(source(knn), true, of), reason, knn);
    assert.equal(read(source('"knn":[1,2],'), true, settings), 'missing');
    assert.equal(read(source('"knn":[1,2],').replace('"x"', '"changed"'), true, of), 'stale');
  });

  it('is refused with the reason', () => {
    for (const [hit, reason] of [
      ['"a":1', 'missing'],
      ['"_source":null', 'missing'],
      ['"_source":{"title":"x"}', 'missing'],
      ['"_source":{"vec":null}', 'missing'],
      ['"_source":{"vec":[]}', 'missing'],
      ['"_source":{"vec":[1.0,2.0]}', 'missing'],
      ['"_source":{"vec":"!!"}', 'malformed'],
      [`"_source":{"vec":"${payload}","title":"changed"}`, 'stale'],
      [`"_source":{"vec":"${payload}"}`, 'stale'],
    ] as const)
      assert.equal(read(hit), reason, hit);
    assert.equal(
      read(`"_source":{"vec":"${payload}"}`, true, { ...settings, vectorField: 'other' }),
      'missing',
    );
    const bytes = Buffer.from('{"hits":{"hits":[{"_index":"i"}]}}');
    const [hit] = scanResponse(bytes).hits;
    assert.ok(hit);
    assert.equal(hitVector(bytes, hit, undefined, settings, true), 'not_configured');
  });

  it('is cut from _source and from fields, and fields goes where it held nothing else', () => {
    const both = { inSource: ['vec'], inFields: ['vec'] };
    for (const [hit, rest] of [
      [',"_source":{"vec":"p","a":1}', ',"_source":{"a":1}'],
      [',"_source":{"vec":"p"}', ',"_source":{}'],
      [',"_source":{"a":1}', ',"_source":{"a":1}'],
      [',"fields":{"vec":["p"]}', ''],
      [',"fields":{"vec":["p"]},"sort":[1]', ',"sort":[1]'],
      [',"fields":{"a":[1],"vec":["p"]},"sort":[1]', ',"fields":{"a":[1]},"sort":[1]'],
      [
        ',"_source":{"a":1,"vec":"p"},"fields":{"vec":["p"],"a":[1]}',
        ',"_source":{"a":1},"fields":{"a":[1]}',
      ],
    ] as const)
      assert.equal(cutFrom(hit, both), rest, hit);
    const all = { inSource: ['vec', 'knn'], inFields: ['vec', 'knn'] };
    for (const [hit, rest] of [
      [',"_source":{"vec":"p","knn":[1,2],"a":1}', ',"_source":{"a":1}'],
      [',"_source":{"a":1,"knn":[1,2],"vec":"p"}', ',"_source":{"a":1}'],
      [',"_source":{"knn":[1,2],"a":1,"vec":"p"}', ',"_source":{"a":1}'],
      [',"_source":{ "vec":"p","knn":[1,2] }', ',"_source":{  }'],
      [',"fields":{"vec":["p"],"knn":[1,2]},"sort":[1]', ',"sort":[1]'],
      [',"fields":{"vec":["p"],"a":[1],"knn":[1,2]}', ',"fields":{"a":[1]}'],
    ] as const)
      assert.equal(cutFrom(hit, all), rest, hit);
    const kept = ',"_source":{"vec":"p"},"fields":{"vec":["p"]}';
    assert.equal(cutFrom(kept, { inSource: [], inFields: [] }), kept);
  });
});
