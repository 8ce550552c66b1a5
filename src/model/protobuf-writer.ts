/**
 * Writes the protocol buffers wire format that protobuf.ts reads. A message is a list of buffers until the end, so
 * that weights are copied once. Pure.
 */
import type { Field } from './protobuf.js';

/** A message, or a part of one: buffers in their order. */
export type Parts = readonly Buffer[];

/** A whole number, or an enumeration's or boolean's; negative ones as protobuf's int64 has them. */
export function numberField(number: number, value: number | bigint): Parts {
  return [varint((BigInt(number) << 3n) | 0n), varint(BigInt.asUintN(64, BigInt(value)))];
}

/** A text. */
export function textField(number: number, value: string): Parts {
  return bytesField(number, [Buffer.from(value, 'utf8')]);
}

/** A message within a message, or raw bytes. */
export function bytesField(number: number, value: Parts): Parts {
  const length = value.reduce((sum, part) => sum + part.length, 0);
  return [varint((BigInt(number) << 3n) | 2n), varint(BigInt(length)), ...value];
}

/** A field as it was read. */
export function sameField(field: Field): Parts {
  if (field.type === 'varint') return numberField(field.number, field.value);
  if (field.type === 'bytes') return bytesField(field.number, [field.bytes]);
  const wireType = field.bytes.length === 8 ? 1n : 5n;
  return [varint((BigInt(field.number) << 3n) | wireType), field.bytes];
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}
