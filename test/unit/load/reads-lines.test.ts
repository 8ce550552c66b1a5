import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readLines } from '../../../src/ingest/load/lines.js';

const BOM = '\uFEFF';

async function linesOf(
  text: string,
  size: number,
  maxBytes = 1000,
): Promise<(string | number | boolean)[][]> {
  const bytes = Buffer.from(text);
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) {
      await Promise.resolve();
      yield bytes.subarray(at, at + size);
    }
  }
  const lines = [];
  for await (const line of readLines(chunks(), maxBytes))
    lines.push([line.number, line.bytes.toString(), line.tooLong]);
  return lines;
}

describe('lines of a byte stream', () => {
  it('come out the same however the stream is cut', async () => {
    const text = `${BOM}{"a":"é"}\r\n\r\n{"b":"输液"}\nlast`;
    const expected = [
      [1, '{"a":"é"}', false],
      [2, '', false],
      [3, '{"b":"输液"}', false],
      [4, 'last', false],
    ];
    for (const size of [1, 2, 3, 7, 1000])
      assert.deepEqual(await linesOf(text, size), expected, `chunks of ${size}`);
  });

  it('end with or without a line end', async () => {
    assert.equal((await linesOf('a\nb\n', 2)).length, 2);
    assert.equal((await linesOf('a\nb', 2)).length, 2);
    assert.deepEqual(await linesOf('', 2), []);
  });

  it('above the limit are cut, marked and passed over', async () => {
    const lines = await linesOf(`short\n${'x'.repeat(5000)}\nafter\n`, 64, 100);
    assert.deepEqual(
      lines.map(([number, , tooLong]) => [number, tooLong]),
      [
        [1, false],
        [2, true],
        [3, false],
      ],
    );
    assert.equal(lines[2]?.[1], 'after');
  });

  it('keep a byte order mark that is not at the start of the file', async () => {
    assert.deepEqual(await linesOf(`a\n${BOM}b`, 100), [
      [1, 'a', false],
      [2, `${BOM}b`, false],
    ]);
  });
});
