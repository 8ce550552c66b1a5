/** Values of an object's members, for what is read of an engine's answers and of clients' bulk lines. */
import { isString, memberNamed, stringAt, type Member } from './json-scan.js';

/** The value's own text, such as `true`, `17` or `"a"` with its quotes; undefined where there is no such member. */
export function rawIn(bytes: Buffer, members: readonly Member[], name: string): string | undefined {
  const member = memberNamed(bytes, members, name);
  return member === undefined ? undefined : bytes.toString('utf8', member.start, member.end);
}

/** The string that the value is; undefined where it is none. */
export function textIn(bytes: Buffer, members: readonly Member[], name: string): string | undefined {
  const member = memberNamed(bytes, members, name);
  return member !== undefined && isString(bytes, member)
    ? stringAt(bytes, member.start, member.end)
    : undefined;
}

/** The number that the value is, in quotes or not; NaN where it is none. */
export function numberIn(bytes: Buffer, members: readonly Member[], name: string): number {
  return Number(rawIn(bytes, members, name) ?? Number.NaN);
}

/** The member; undefined where there is none or its value is `null`. */
export function memberWithValue(bytes: Buffer, members: readonly Member[], name: string): Member | undefined {
  const member = memberNamed(bytes, members, name);
  const isNull =
    member !== undefined &&
    member.end - member.start === 4 &&
    bytes.toString('latin1', member.start, member.end) === 'null';
  return isNull ? undefined : member;
}
