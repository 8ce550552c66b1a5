/**
 * What may differ between two sides that behave alike: times, ids that are drawn anew, the side's own index prefix,
 * and what belongs to one connection only: the protocol version of the status line (RFC 9110 section 2.5), the
 * headers `Connection`, `Keep-Alive` and `Transfer-Encoding` (section 7.6.1; the framing itself is compared), and
 * whether an early refusal comes before or after `100 Continue` (section 10.1.1). Everything else is compared byte
 * for byte.
 */
import { gunzipSync, inflateSync } from 'node:zlib';
import { valueOf, type Conversation, type WireAnswer } from './wire.js';

/** The services' own header. */
export const OUR_HEADER = 'x-twinrank';

/** A place where the sides differ, for people. */
export interface Difference {
  readonly where: string;
  readonly direct: string;
  readonly through: string;
}

export interface CompareOptions {
  readonly watchClose?: boolean;
}

/** Differences of a whole conversation; `prefixes` are the index prefixes of both sides. */
export function compareConversations(
  direct: Conversation,
  through: Conversation,
  prefixes: readonly string[],
  options: CompareOptions = {},
): Difference[] {
  const differences: Difference[] = [];
  const check = (where: string, a: string, b: string): void => {
    if (a !== b) differences.push({ where, ...aroundDifference(a, b) });
  };
  check('number of answers', String(direct.answers.length), String(through.answers.length));
  check('bytes after the answers', direct.rest.toString('latin1'), through.rest.toString('latin1'));
  if (options.watchClose === true) check('closed', String(direct.closed), String(through.closed));
  direct.answers.forEach((answer, i) => {
    const other = through.answers[i];
    if (other === undefined) return;
    const at = direct.answers.length === 1 ? '' : `answer ${i + 1}: `;
    if (!isEarlyRefusal(answer))
      check(`${at}interim answers`, answer.interim.join('\n\n'), other.interim.join('\n\n'));
    check(`${at}status line`, withoutVersion(answer.statusLine), withoutVersion(other.statusLine));
    check(`${at}framing`, answer.framing, other.framing);
    const [a, b] = [comparable(answer, prefixes), comparable(other, prefixes)];
    check(`${at}header lines`, a.headers, b.headers);
    check(`${at}body`, a.body, b.body);
  });
  return differences;
}

function isEarlyRefusal(answer: WireAnswer): boolean {
  return / (?:413|417) /.test(answer.statusLine);
}

/** The status line without the version, which each connection has of its own. */
export function withoutVersion(statusLine: string): string {
  return statusLine.replace(/^HTTP\/1\.[01]/, 'HTTP/1.x');
}

const OF_ONE_CONNECTION = /^(?:connection|keep-alive|transfer-encoding):/i;

/** An answer with what may differ made alike. */
export function comparable(
  answer: WireAnswer,
  prefixes: readonly string[],
): { readonly headers: string; readonly body: string } {
  const plain = uncompressed(answer).toString('latin1');
  const body = withoutTimes(withoutPrefixes(plain, prefixes));
  const length = valueOf(answer.headers, 'content-length');
  // A length follows from the digits of a time; where there is one, it must be right instead of equal.
  const isTimed = body.length !== plain.length || body !== withoutPrefixes(plain, prefixes);
  const lengthIsRight =
    length !== undefined && (answer.framing === 'none' || Number(length) === answer.body.length);
  const headers = answer.headers
    .filter((line) => !line.toLowerCase().startsWith(`${OUR_HEADER}:`) && !OF_ONE_CONNECTION.test(line))
    .map((line) => withoutTimes(withoutPrefixes(line, prefixes)))
    .map((line) =>
      /^content-length:/i.test(line) && lengthIsRight && (isTimed || isCompressed(answer))
        ? line.replace(/\d+/, '(right)')
        : line,
    );
  return { headers: headers.join('\n'), body };
}

function isCompressed(answer: WireAnswer): boolean {
  return codingOf(answer) !== undefined && answer.body.length > 0;
}

function codingOf(answer: WireAnswer): 'gzip' | 'deflate' | undefined {
  const coding = valueOf(answer.headers, 'content-encoding')?.toLowerCase();
  return coding === 'gzip' || coding === 'deflate' ? coding : undefined;
}

/** Compressed bytes hold times as well, so they are compared as what they stand for. */
export function uncompressed(answer: WireAnswer): Buffer {
  if (!isCompressed(answer)) return answer.body;
  return codingOf(answer) === 'gzip' ? gunzipSync(answer.body) : inflateSync(answer.body);
}

function withoutPrefixes(text: string, prefixes: readonly string[]): string {
  return prefixes.reduce((result, prefix) => result.replaceAll(prefix, '{i}'), text);
}

/** Each pattern's match is replaced by its name. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  // JSON, YAML, CBOR and SMILE each.
  [/("(?:ingest_)?took"\s*:\s*)\d+/g, '$1(took)'],
  [/^(\s*(?:- )?took: )\d+/gm, '$1(took)'],
  // eslint-disable-next-line no-control-regex -- binary formats have such bytes
  [/dtook(?:[\x00-\x17]|\x18[\s\S]|\x19[\s\S]{2})/g, '(took)'],
  // eslint-disable-next-line no-control-regex -- binary formats have such bytes
  [/\x83took(?:[\xc0-\xdf]|\x24[\x00-\x7f]*[\x80-\xbf])/g, '(took)'],
  [
    /("[\w.]*(?:time|nanos|millis|timestamp|creation_date|age|uptime)[\w.]*"\s*:\s*"?)[-\d.]+(?:[a-z]+"|"|(?=[,}\s]))/g,
    '$1(time)',
  ],
  [/("(?:breakdown)"\s*:\s*)\{[^}]*\}/g, '$1{}'],
  [
    /("(?:time|running_time|creation_date_string|queue|max_task_wait_time_in_queue)"\s*:\s*)"[^"]*"/g,
    '$1"(time)"',
  ],
  [/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z?"/g, '"(date)"'],
  [/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z @timestamp"/g, '"(date)"'],
  // Ids that the engine draws for each index, scroll and task.
  [
    /("(?:index_uuid|index\.uuid|uuid|history_uuid|allocation_id|policy_id)"\s*:\s*)"[\w-]{20,22}"/g,
    '$1"(uuid)"',
  ],
  [/\/[\w-]{22}\]/g, '/(uuid)]'],
  [/("(?:_scroll_id|pit_id|id)"\s*:\s*)"[\w=+/-]{20,}"/g, '$1"(id)"'],
  [/("_id"\s*:\s*)"[\w-]{20}"/g, '$1"(auto)"'],
  [/(_doc\/)[\w-]{20}(?=\s|$)/g, '$1(auto)'],
  [/[\w-]{22}:\d+/g, '(task)'],
  [/("(?:taskId|parentTaskId|memory_in_bytes)":)\d+/g, '$1(number)'],
  // OpenSearch 3 tells what a task of a scroll cost.
  [/^(TASK_RESOURCE_USAGE: )\S+$/g, '$1(usage)'],
  // Elasticsearch 7 quotes the whole request as it came over its own connection.
  [/(\[Source: \(byte\[\]\)\\")(?:GET|POST|PUT) \/.*?(\\"; line: )/g, '$1(request)$2'],
  [/(No search context found for id )\[\d+\]/g, '$1[(number)]'],
];

function withoutTimes(text: string): string {
  return VARYING.reduce((result, [pattern, name]) => result.replace(pattern, name), text);
}

/** The neighbourhood of the first difference, so that a 5 MB body is not printed. */
function aroundDifference(a: string, b: string): { readonly direct: string; readonly through: string } {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const from = Math.max(0, at - 60);
  const cut = (text: string): string => `${from > 0 ? '…' : ''}${text.slice(from, at + 140)}`;
  return { direct: cut(a), through: cut(b) };
}
