/** What integration tests share: the engine's address, index names of their own, and the cleaning up. */
import { randomBytes } from 'node:crypto';
import { rawRequest, type RawResponse } from './raw-request.js';

/** Address of the real engine that the runner started, without a slash at its end. */
export function engineUrl(): string {
  const url = process.env['TWINRANK_TEST_ENGINE'];
  if (url === undefined || url === '') {
    throw new Error(
      'TWINRANK_TEST_ENGINE names no engine. Run integration tests with `npm test`, or set it to the address of an OpenSearch.',
    );
  }
  return url.replace(/\/+$/, '');
}

/** An index name that no other test and no earlier run uses. */
function uniqueIndex(prefix = 'twinrank-test'): string {
  return `${prefix}-${process.pid}-${randomBytes(4).toString('hex')}`;
}

export interface EngineFixture {
  readonly url: string;
  /** A name for an index that {@link cleanUp} deletes, whether or not it was made. */
  index(prefix?: string): string;
  /** A call with a JSON (or ready NDJSON text) body; throws where the engine answers with an error. */
  call(method: string, path: string, body?: unknown): Promise<unknown>;
  cleanUp(): Promise<void>;
}

/** The engine for one test file; give `cleanUp` to `after`. */
export function engineFixture(): EngineFixture {
  const url = engineUrl();
  const made: string[] = [];
  return {
    url,
    index(prefix) {
      const name = uniqueIndex(prefix);
      made.push(name);
      return name;
    },
    async call(method, path, body) {
      const response = await rawRequest({ url, method, path, ...jsonBody(body) });
      if (response.status >= 400)
        throw new Error(`${method} ${path}: ${response.status} ${textOf(response)}`);
      const text = textOf(response);
      return text === '' ? undefined : JSON.parse(text);
    },
    async cleanUp() {
      for (const name of made.splice(0)) {
        const response = await rawRequest({
          url,
          method: 'DELETE',
          path: `/${name}?ignore_unavailable=true`,
        });
        if (response.status >= 400 && response.status !== 404) {
          throw new Error(`Index ${name} was not deleted: ${response.status} ${textOf(response)}`);
        }
      }
    },
  };
}

/** Header and body of a request: a value as JSON, a text as the NDJSON that it is. */
export function jsonBody(body: unknown): {
  readonly headers?: Record<string, string>;
  readonly body?: string;
} {
  if (body === undefined) return {};
  const isText = typeof body === 'string';
  return {
    headers: { 'content-type': isText ? 'application/x-ndjson' : 'application/json' },
    body: isText ? body : JSON.stringify(body),
  };
}

function textOf(response: RawResponse): string {
  return response.body.toString('utf8');
}
