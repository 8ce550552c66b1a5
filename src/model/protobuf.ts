/**
 * As much of the protocol buffers wire format as an ONNX file needs: fields of a message as byte ranges of the
 * file, so that a reader skips what it does not know. Pure.
 */

/** One field of a message: its number, and its value as a number or as the bytes of a string, message or block. */
export type Field =
  | { readonly number: number; readonly type: 'varint'; readonly value: bigint }
  | { readonly number: number; readonly type: 'fixed' | 'bytes'; readonly bytes: Buffer };

/** The fields of a message in their order. Throws a plain Error where the bytes are no such message. */
export function* fieldsOf(message: Buffer): Generator<Field> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Error('it ends within a number.');
  };
  const take = (length: number): Buffer => {
    if (at + length > message.length) throw new Error('it ends within a field.');
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    switch (Number(tag & 7n)) {
      case 0:
        yield { number, type: 'varint', value: varint() };
        break;
      case 1:
        yield { number, type: 'fixed', bytes: take(8) };
        break;
      case 2:
        yield { number, type: 'bytes', bytes: take(Number(varint())) };
        break;
      case 5:
        yield { number, type: 'fixed', bytes: take(4) };
        break;
      default:
        throw new Error(`it has a field of the unknown wire type ${tag & 7n}.`);
    }
  }
}

/** The bytes of each field of that number, in their order: texts, messages, blocks. */
export function blocksOf(message: Buffer, number: number): Buffer[] {
  const blocks: Buffer[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number === number && field.type === 'bytes') blocks.push(field.bytes);
  }
  return blocks;
}

/** The texts of that field. */
export function textsOf(message: Buffer, number: number): string[] {
  return blocksOf(message, number).map((block) => block.toString('utf8'));
}

/** The last number of that field, as protobuf has it, or undefined. */
export function numberOf(message: Buffer, number: number): number | undefined {
  let found: number | undefined;
  for (const field of fieldsOf(message)) {
    if (field.number === number && field.type === 'varint') found = Number(BigInt.asIntN(64, field.value));
  }
  return found;
}
