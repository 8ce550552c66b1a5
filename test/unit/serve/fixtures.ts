/** What the tests of the endpoints share: a model whose texts are angles, behind a real HTTP server. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before } from 'node:test';
import type { TwinrankError } from '../../../src/errors.js';
import type { EncodeOptions, Encoder, TextKind } from '../../../src/model/encoder.js';
import { createHead } from '../../../src/model/head.js';
import type { TokenCounter } from '../../../src/model/token-counter.js';
import { createModelApp, DEFAULT_MODEL_APP_OPTIONS, type ModelAppOptions } from '../../../src/serve/app.js';
import type { ServedModel } from '../../../src/serve/model.js';

/** One call of the encoder. */
export interface EncoderCall extends EncodeOptions {
  readonly texts: readonly string[];
}

/** A text's first number is its angle; the nearer two angles, the more alike their texts. */
export class AngleEncoder implements Encoder {
  readonly dimensions = 2;
  readonly fingerprint = '0123456789abcdef';
  readonly calls: EncoderCall[] = [];

  encode(texts: readonly string[], options: EncodeOptions): Promise<Float32Array[]> {
    this.calls.push({ texts, ...options });
    return Promise.resolve(texts.map(angleVector));
  }

  /** What was encoded as one kind, in order. */
  textsOf(kind: TextKind): readonly string[] {
    return this.calls.filter((call) => call.kind === kind).flatMap((call) => call.texts);
  }
}

export function angleVector(text: string): Float32Array {
  const angle = Number(/-?\d+(\.\d+)?/.exec(text)?.[0] ?? 0);
  return Float32Array.of(Math.cos(angle), Math.sin(angle));
}

/** log-odds = 1 - 2 x (|du| + |dv|) */
const ANGLE_HEAD = createHead(
  [
    [0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, -2, -2],
  ],
  [0, 1],
  2,
);

const MAX_TOKENS = 8;

/** The head's own log-odds of two texts. */
export function angleLogOdds(query: string, document: string): number {
  return ANGLE_HEAD.scorer(angleVector(query)).logOdds(angleVector(document));
}

/** A word is a token, and so are the two ends. */
const wordCounter: TokenCounter = {
  count: (texts) =>
    Promise.resolve(
      texts.map((text) => Math.min(MAX_TOKENS + 1, 2 + text.split(/\s+/).filter(Boolean).length)),
    ),
};

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

export interface Served {
  readonly url: string;
  readonly errors: readonly TwinrankError[];
  /** Posts a value as JSON, or a text as it is. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply>;
  get(path: string, headers?: Record<string, string>): Promise<Reply>;
  close(): Promise<void>;
}

/** The app for the tests of the describe block that calls this; there from the first test on. */
export function servedFixture(
  model: Partial<ServedModel> = {},
  options: Partial<ModelAppOptions> = {},
): Served {
  const served = {} as Served;
  before(async () => {
    Object.assign(served, await serveModel(model, options));
  });
  after(() => served.close());
  return served;
}

/** The app on a free port. */
export async function serveModel(
  model: Partial<ServedModel> = {},
  options: Partial<ModelAppOptions> = {},
): Promise<Served> {
  const errors: TwinrankError[] = [];
  const app = createModelApp(
    {
      facts: { name: 'angles', maxTokens: MAX_TOKENS, normalized: true },
      encoder: new AngleEncoder(),
      head: ANGLE_HEAD,
      counter: wordCounter,
      isReady: () => true,
      ...model,
    },
    { ...DEFAULT_MODEL_APP_OPTIONS, version: '1.2.3', ...options },
    { onError: (error) => errors.push(error) },
  );
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = async (path: string, init: RequestInit): Promise<Reply> => {
    const response = await fetch(url + path, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: JSON.parse(text) as unknown };
  };
  return {
    url,
    errors,
    post: (path, body, headers = {}) =>
      ask(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    get: (path, headers = {}) => ask(path, { headers }),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
