/** Which text of a document is encoded: the documented rule, type by type. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { documentText } from '../../../src/search-engine/document-text.js';
import { JsonScanError } from '../../../src/search-engine/json-scan.js';

const textOf = (source: string, ...fields: string[]): string | undefined =>
  documentText(Buffer.from(source, 'utf8'), 0, fields.length === 0 ? ['title'] : fields);

describe('text of a document', () => {
  const CASES: Readonly<Record<string, readonly [source: string, text: string | undefined]>> = {
    'a string': ['{"title":"Reset a password"}', 'Reset a password'],
    'a string with spaces at its ends': ['{"title":" a  b "}', ' a  b '],
    'a missing field': ['{"other":"x"}', undefined],
    'an empty document': ['{}', undefined],
    'null': ['{"title":null}', undefined],
    'the word null': ['{"title":"null"}', 'null'],
    'an empty string': ['{"title":""}', undefined],
    'whitespace': ['{"title":" \\t\\n\\u3000"}', undefined],
    'a number by its JSON text': ['{"title":1.0}', '1.0'],
    'a long number': ['{"title":9007199254740993}', '9007199254740993'],
    'zero': ['{"title":0}', '0'],
    'a boolean': ['{"title":false}', 'false'],
    'an array': ['{"title":["a", "b"]}', 'a b'],
    'an empty array': ['{"title":[ ]}', undefined],
    'nested and mixed arrays': ['{"title":[["a",[1, [true]]],null,"",{"x":"y"}, "b"]}', 'a 1 true b'],
    'an object': ['{"title":{"x":"y"}}', undefined],
    'a repeated key': ['{"title":"first","title":"last"}', 'last'],
    'escapes': ['{"title":"\\u00e9\\n\\"\\\\"}', 'é\n"\\'],
    'an escaped key': ['{"t\\u0069tle":"x"}', 'x'],
    'a surrogate pair': ['{"title":"\\ud83d\\ude00😀"}', '😀😀'],
    'a lone surrogate': ['{"title":"a\\ud83d"}', 'a\ud83d'],
    'Chinese': ['{"title":"重置密码"}', '重置密码'],
    'whitespace around everything': [' { "title" :\n"x" } '.trim(), 'x'],
  }; // prettier-ignore
  for (const [name, [source, text]] of Object.entries(CASES)) {
    it(name, () => {
      assert.equal(textOf(source), text);
    });
  }

  it('fields are joined in the order of the settings, those without text left out', () => {
    const source = '{"body":"b","title":"t","tags":["x","y"],"empty":"","n":7}';
    assert.equal(textOf(source, 'title', 'empty', 'missing', 'body', 'tags', 'n'), 't b x y 7');
  });

  it('dotted paths are found through objects, as dotted keys and mixed', () => {
    for (const source of [
      '{"a":{"b":{"c":"x"}}}',
      '{"a.b.c":"x"}',
      '{"a.b":{"c":"x"}}',
      '{"a":{"b.c":"x"}}',
      '{"a":[{"b":{"c":"x"}}]}',
    ])
      assert.equal(textOf(source, 'a.b.c'), 'x', source);
    assert.equal(textOf('{"a":"x"}', 'a.b'), undefined);
    assert.equal(textOf('{"a":null,"a.b":"x"}', 'a.b'), 'x');
  });

  it('arrays of objects give the text of each', () => {
    assert.equal(textOf('{"a":[{"b":"x"},{"c":1},3,{"b":["y","z"]}]}', 'a.b'), 'x y z');
  });

  it('names of the prototype are fields like any other', () => {
    assert.equal(textOf('{"a":1}', 'constructor', '__proto__', 'toString'), undefined);
    assert.equal(textOf('{"__proto__":"x"}', '__proto__'), 'x');
  });

  it('a very long text is bounded', () => {
    const text = textOf(`{"title":"${'中'.repeat(300_000)}"}`);
    assert.ok(text !== undefined && text.length >= 100_000 && text.length <= 300_000);
  });

  it('deep and wide documents cost neither the stack nor their square in time', () => {
    assert.equal(textOf(`{"title":${'['.repeat(100_000)}"x"${']'.repeat(100_000)}}`), 'x');
    const objects = Array.from({ length: 200_000 }, () => '{"c":"x"}').join(',');
    assert.ok(textOf(`{"a":{"b":[${objects}]}}`, 'a.b.c')?.startsWith('x x x'));
  });

  it('what is no JSON object is a JsonScanError', () => {
    for (const source of [
      '',
      '[]',
      '"x"',
      '1',
      '{"title":"x"',
      '{"title":"\\x"}',
      '{"title":[}]}',
      '{"title":["a":"b"]}',
    ])
      assert.throws(() => textOf(source), JsonScanError, source);
  });
});
