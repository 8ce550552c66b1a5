/** The scanner finds what JSON.parse finds, and gives ranges of the very bytes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  cutRange,
  hasKey,
  JsonScanError,
  memberNamed,
  scanArray,
  scanDocument,
  scanObject,
  skipString,
  skipValue,
  stringAt,
} from '../../../src/search-engine/json-scan.js';
import { applyEdits, cut, insertAt, pieces, replaceRange } from '../../../src/search-engine/splice.js';
import { randomJson } from './random-json.js';

const bytesOf = (text: string): Buffer => Buffer.from(text, 'utf8');

/** Compares the scanned tree with the parsed one, down to the scalars. */
function compare(bytes: Buffer, start: number, end: number): void {
  const slice = bytes.toString('utf8', start, end);
  assert.equal(slice, slice.trim());
  const parsed: unknown = JSON.parse(slice);
  assert.equal(skipValue(bytes, start), end);
  if (slice.startsWith('{')) {
    const { members, end: closed } = scanObject(bytes, start);
    assert.equal(closed, end);
    const last = new Map<string, unknown>();
    for (const member of members) {
      const key = stringAt(bytes, member.keyStart, member.keyEnd);
      assert.equal(key, JSON.parse(bytes.toString('utf8', member.keyStart, member.keyEnd)));
      assert.ok(hasKey(bytes, member, key));
      last.set(key, JSON.parse(bytes.toString('utf8', member.start, member.end)));
      compare(bytes, member.start, member.end);
    }
    assert.deepEqual(Object.fromEntries(last), parsed);
    for (const [key, value] of last) {
      const member = memberNamed(bytes, members, key);
      assert.ok(member);
      assert.deepEqual(JSON.parse(bytes.toString('utf8', member.start, member.end)), value);
    }
  } else if (slice.startsWith('[')) {
    const { elements, end: closed } = scanArray(bytes, start);
    assert.equal(closed, end);
    assert.equal(elements.length, (parsed as unknown[]).length);
    for (const element of elements) compare(bytes, element.start, element.end);
  } else if (slice.startsWith('"')) {
    assert.equal(stringAt(bytes, start, end), parsed);
  }
}

describe('byte ranges of JSON', () => {
  it('agree with JSON.parse on random documents', () => {
    for (let seed = 1; seed <= 600; seed++) {
      const random = randomJson(seed);
      const before = random.whitespace();
      const bytes = bytesOf(before + random.object(4) + random.whitespace());
      const { open, end } = scanDocument(bytes);
      assert.equal(open, before.length);
      compare(bytes, open, end);
    }
  });

  it('end strings rightly with backslash runs of every length around the loop border', () => {
    for (let length = 0; length < 60; length++) {
      for (let run = 0; run < 30; run++) {
        const text = 'x'.repeat(length) + '\\'.repeat(run * 2);
        const bytes = bytesOf(`"${text}","after\\""`);
        assert.equal(
          skipString(bytes, 0),
          text.length + 2,
          `${length} characters, ${run} escaped backslashes`,
        );
        const escaped = bytesOf(`"${text}\\"${text}","after"`);
        assert.equal(skipString(escaped, 0), text.length * 2 + 4);
      }
    }
  });

  it('keep numbers, duplicates and escapes apart from their values', () => {
    const bytes = bytesOf(
      '{"n": 9007199254740993, "x": 1.0, "z": -0.0, "big": 1E400, "a": 1, "a": 2, "\\u0061b": "\\u00e9"}',
    );
    const { members } = scanDocument(bytes);
    const texts = members.map((member) => bytes.toString('utf8', member.start, member.end));
    assert.deepEqual(texts, ['9007199254740993', '1.0', '-0.0', '1E400', '1', '2', '"\\u00e9"']);
    const last = memberNamed(bytes, members, 'a');
    assert.equal(last && bytes.toString('utf8', last.start, last.end), '2');
    assert.ok(memberNamed(bytes, members, 'ab'));
    assert.equal(memberNamed(bytes, members, 'toString'), undefined);
  });

  it('pass over what the engines take besides JSON: comments, and a mark at the beginning', () => {
    const mark = '\ufeff';
    for (const [text, values] of [
      [`${mark}{"a":1}`, ['1']],
      [
        '/* , */{/*{*/"a"/*:*/:/*"*/[1/*]*/,2]/**/,// "x":3,\n"b":"/* no */"/* } */}// end',
        ['[1/*]*/,2]', '"/* no */"'],
      ],
      ['{// c\r"a":1// d\n}\n// e\n', ['1']],
      [`{"_source":${mark}{"t":"x"} }`, ['{"t":"x"}']],
    ] as const) {
      const bytes = bytesOf(text);
      const found = scanDocument(bytes).members.map(({ start, end }) => bytes.toString('utf8', start, end));
      assert.deepEqual(found, values, text);
    }
  });

  it('do not exhaust the stack on 100,000 brackets', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    const bytes = bytesOf(`{"a":${deep},"b":1}`);
    assert.equal(scanDocument(bytes).members.length, 2);
    assert.throws(() => scanDocument(bytesOf(`{"a":${'['.repeat(100_000)}`)), JsonScanError);
  });
});

describe('malformed JSON', () => {
  const MALFORMED = [
    '', ' ', '{', '}', '[1]', '"a"', '{"a"', '{"a":', '{"a":}', '{"a":1', '{"a":1,', '{"a":1,}', '{a:1}', '{"a":1}}',
    '{"a":1}x', '{"a" 1}', '{"a":1 "b":2}', '{"a":"', '{"a":"\\', '{"a":"\\"', '{"a":[', '{"a":[1', '{"a":"x\\\\\\"}',
    '{,}', '{"a":,}', '{"a"::1}', '{"a":1,,"b":2}', '\u0000', '{"a":\u0000}', '{"a":1}/', '{/* "a":1}',
    '{"a":1/*/}', '/{}', '{"a":1 // }', '\ufee0{}', '{"\\x":1} ', "{'a':1}",
  ]; // prettier-ignore

  it('throws JsonScanError, and never reads beyond the end', () => {
    for (const text of MALFORMED) {
      assert.throws(
        () => {
          const bytes = bytesOf(text);
          const { members } = scanDocument(bytes);
          memberNamed(bytes, members, 'a');
        },
        (error: unknown) =>
          error instanceof JsonScanError && error.at >= 0 && error.at <= Buffer.byteLength(text),
        JSON.stringify(text),
      );
    }
  });

  it('throws JsonScanError for every proper prefix of a document', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const bytes = bytesOf(randomJson(seed).object(3));
      for (let length = 0; length < bytes.length; length++) {
        assert.throws(() => scanDocument(bytes.subarray(0, length)), JsonScanError);
      }
    }
  });

  it('ends for random bytes, with ranges inside the buffer', () => {
    const random = randomJson(7);
    const alphabet = [...'{}[]",:\\ 1ae-'];
    for (let round = 0; round < 20_000; round++) {
      const bytes = bytesOf(
        `{"${Array.from({ length: random.below(20) }, () => random.pick(alphabet)).join('')}`,
      );
      try {
        const { members, end } = scanDocument(bytes);
        assert.ok(end <= bytes.length);
        for (const member of members) assert.ok(member.start < member.end && member.end < end);
      } catch (error) {
        assert.ok(error instanceof JsonScanError, String(error));
      }
    }
  });

  it('an escape that JSON does not know is a JsonScanError as well', () => {
    const bytes = bytesOf('{"\\x":1}');
    const [member] = scanDocument(bytes).members;
    assert.ok(member);
    assert.throws(() => hasKey(bytes, member, 'x'), JsonScanError);
  });
});

describe('cutting a member', () => {
  const without = (text: string, name: string): string => {
    const bytes = bytesOf(text);
    const { open, members, end } = scanDocument(bytes);
    const member = memberNamed(bytes, members, name);
    assert.ok(member);
    return applyEdits(bytes, [cut(cutRange(bytes, { start: open, end }, member))]).toString('utf8');
  };

  it('leaves well-formed JSON wherever the member stands', () => {
    assert.equal(without('{"v":1,"b":2,"c":3}', 'v'), '{"b":2,"c":3}');
    assert.equal(without('{"a":1,"v":2,"c":3}', 'v'), '{"a":1,"c":3}');
    assert.equal(without('{"a":1,"v":2}', 'v'), '{"a":1}');
    assert.equal(without('{"v":1}', 'v'), '{}');
  });

  it('is not misled by commas in comments', () => {
    assert.equal(without('{"a":1, // one,\n "v":2}', 'v'), '{"a":1}');
    assert.equal(without('{"a":1 /* , */ , /* , */ "v":2 /* end */}', 'v'), '{"a":1 /* , */  /* end */}');
    assert.equal(without('{/* , */ "v":2}', 'v'), '{/* , */ }');
  });

  it('copes with odd whitespace', () => {
    for (const text of [
      '{\n  "v" : 1 ,\n  "b" : 2\n}',
      '{"a":","\r\n,\t"v":[1,2] }',
      ' { "v" : {"x":","} } ',
      '{ "a" : 1 , "v" : 2 , "c" : 3 }',
    ]) {
      const expected = JSON.parse(text) as Record<string, unknown>;
      delete expected['v'];
      assert.deepEqual(JSON.parse(without(text, 'v')), expected);
    }
  });

  it('is right for any member of random objects', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const bytes = bytesOf(randomJson(seed).object(3));
      const { open, members, end } = scanDocument(bytes);
      members.forEach((member, place) => {
        const rest = applyEdits(bytes, [cut(cutRange(bytes, { start: open, end }, member))]);
        const texts = (buffer: Buffer): string[] =>
          scanDocument(buffer).members.map((m) => buffer.toString('utf8', m.keyStart, m.end));
        assert.deepEqual(
          texts(rest),
          texts(bytes).filter((_, i) => i !== place),
        );
      });
    }
  });
});

describe('edits', () => {
  it('may come unordered and keep everything between them', () => {
    const bytes = bytesOf('0123456789');
    const edits = [
      replaceRange({ start: 7, end: 9 }, 'é'),
      cut({ start: 1, end: 3 }),
      insertAt(1, 'A'),
      insertAt(1, 'B'),
    ];
    assert.equal(applyEdits(bytes, edits).toString('utf8'), '0AB3456é9');
    assert.equal(Buffer.concat(pieces(bytes, 1, 9, edits)).toString('utf8'), 'AB3456é');
  });

  it('that overlap or lie outside are a defect, not a guess', () => {
    const bytes = bytesOf('0123456789');
    assert.throws(() => applyEdits(bytes, [cut({ start: 1, end: 4 }), cut({ start: 3, end: 5 })]), /bug/);
    assert.throws(() => pieces(bytes, 0, 5, [cut({ start: 4, end: 6 })]), /bug/);
  });
});
