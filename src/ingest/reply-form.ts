/** In which form the engine will answer a bulk request: whether its replies can be read here and put together. */
import { headerValue } from '../http/header-rules.js';
import { parametersOf } from './request-parameters.js';

export interface ReplyForm {
  /** False for YAML, CBOR and SMILE: such replies go on as they are, so there can be only one. */
  readonly isJson: boolean;
  /** The caller lets the engine leave parts of the reply out. */
  readonly isFiltered: boolean;
  /** False where the filter leaves out both the items and whether there were errors. */
  readonly showsItems: boolean;
}

/** Reads the request's target and headers. */
export function replyForm(target: string, rawHeaders: readonly string[]): ReplyForm {
  const parameter = parametersOf(target);
  const wanted = parameter('format') ?? headerValue(rawHeaders, 'accept') ?? '';
  const filter = parameter('filter_path') ?? '';
  return {
    isJson: !/yaml|cbor|smile/i.test(wanted),
    isFiltered: filter !== '',
    showsItems: filter === '' || showsItems(filter.split(',')),
  };
}

function showsItems(patterns: readonly string[]): boolean {
  const included = patterns.filter((pattern) => !pattern.startsWith('-'));
  if (included.length === 0) return !patterns.includes('-items');
  return included.some((pattern) => matches(pattern, 'items') || matches(pattern, 'errors'));
}

/** True where the first name of the pattern, in which "*" stands for any characters, covers the member. */
function matches(pattern: string, member: string): boolean {
  const parts = (pattern.split('.')[0] ?? '').split('*').map((part) => part.replace(/\W/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(member);
}
