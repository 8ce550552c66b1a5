/**
 * The model for other systems: endpoints in the shapes of Cohere, Jina, TEI and OpenAI. Each request passes the
 * same gates in this order: key, a place among those under way, body, endpoint.
 */
import express, { type Express, type Request, type Response } from 'express';
import { asTwinrankError, TwinrankError } from '../errors.js';
import { leavingSignal } from '../http/client-exchange.js';
import { createKeyCheck } from '../http/api-key.js';
import { COHERE_ENDPOINTS } from './cohere-rerank.js';
import type { Endpoint, EndpointLimits } from './endpoint.js';
import { errorReply, type Dialect } from './error-shapes.js';
import type { ServedModel } from './model.js';
import { modelEntry, OPENAI_ENDPOINTS } from './openai-embeddings.js';
import { TEI_ENDPOINTS, teiInfo } from './tei.js';

export interface ModelAppOptions extends EndpointLimits {
  /** Bytes of a body, after decompression. */
  readonly maxBodyBytes: number;
  /** Requests under way; more are refused with 429. */
  readonly maxConcurrentRequests: number;
  /** Keys that are accepted; none lets everybody in. */
  readonly apiKeys: readonly string[];
  /** Version of the program, for `/info`. */
  readonly version: string;
}

export interface ModelAppHooks {
  /** Told of failures that are not the caller's. */
  readonly onError?: (error: TwinrankError) => void;
}

export const DEFAULT_MODEL_APP_OPTIONS: Omit<ModelAppOptions, 'version'> = {
  maxTexts: 2048,
  maxBodyBytes: 10 * 1024 * 1024,
  maxConcurrentRequests: 256,
  apiKeys: [],
};

const ENDPOINTS: readonly Endpoint[] = [...COHERE_ENDPOINTS, ...TEI_ENDPOINTS, ...OPENAI_ENDPOINTS];

/** Where texts are ranked and encoded. */
export const ENDPOINT_PATHS: readonly string[] = ENDPOINTS.map(({ path }) => path);

/** The app; it does not listen. */
export function createModelApp(
  model: ServedModel,
  options: ModelAppOptions,
  hooks: ModelAppHooks = {},
): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag');
  const checkKey = createKeyCheck(options.apiKeys);
  const readJson = express.json({ limit: options.maxBodyBytes, strict: false, type: () => true });
  const since = Math.floor(Date.now() / 1000);
  let underWay = 0;

  /** Answers with what `work` gives; an error is worded in the dialect. */
  const answer = async (
    response: Response,
    dialect: Dialect,
    work: () => Promise<string> | string,
  ): Promise<void> => {
    try {
      sendJson(response, 200, await work());
    } catch (thrown) {
      const error = asTwinrankError(thrown);
      if (error.status >= 500 && error.code !== 'not_ready') hooks.onError?.(error);
      const { status, body } = errorReply(dialect, error);
      if (status === 401) response.setHeader('www-authenticate', 'Bearer');
      if (status === 429 || status === 503) response.setHeader('retry-after', '1');
      sendJson(response, status, body);
    }
  };

  const take = async (endpoint: Endpoint, request: Request, response: Response): Promise<string> => {
    checkKey(request.headers.authorization);
    if (underWay >= options.maxConcurrentRequests) {
      const message = `${underWay} requests are under way, and no more are taken at once. Retry later.`;
      throw new TwinrankError('overloaded', message);
    }
    underWay++;
    try {
      await bodyOf(request, response, readJson, options.maxBodyBytes);
      const signal = leavingSignal(request, response);
      return await endpoint.answer(request.body, { model, limits: options, signal });
    } finally {
      underWay--;
    }
  };

  for (const endpoint of ENDPOINTS) {
    app.post(endpoint.path, (request, response) =>
      answer(response, endpoint.dialect, () => take(endpoint, request, response)),
    );
    app.all(endpoint.path, (request, response) => {
      const message = `${endpoint.path} takes POST, not ${request.method}.`;
      response.setHeader('allow', 'POST');
      sendJson(response, 405, errorReply(endpoint.dialect, new TwinrankError('bad_request', message)).body);
    });
  }

  app.get('/health', (_request, response) =>
    answer(response, 'tei', () => {
      if (model.isReady()) return '{"status":"ready"}';
      throw new TwinrankError('not_ready', 'No inference worker is up.');
    }),
  );
  app.get('/info', (request, response) =>
    answer(response, 'tei', () => {
      checkKey(request.headers.authorization);
      return JSON.stringify(teiInfo(model.facts, options, options.version));
    }),
  );
  app.get('/v1/models', (request, response) =>
    answer(response, 'openai', () => {
      checkKey(request.headers.authorization);
      return JSON.stringify({ object: 'list', data: [modelEntry(model.facts, since)] });
    }),
  );
  app.use((request, response) =>
    answer(response, 'openai', () => {
      throw new TwinrankError('not_found', `There is no ${request.method} ${request.path} here.`);
    }),
  );
  return app;
}

/** Reads and parses the body. Rejects with `bad_request`, `body_too_large` or `cancelled`. */
function bodyOf(
  request: Request,
  response: Response,
  readJson: ReturnType<typeof express.json>,
  limit: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    readJson(request, response, (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(bodyError(error as BodyError, limit));
    });
  });
}

interface BodyError extends Error {
  readonly type?: string;
}

function bodyError(error: BodyError, limit: number): TwinrankError {
  switch (error.type) {
    case 'entity.too.large':
      return new TwinrankError('body_too_large', `The body has more than ${limit} bytes.`);
    case 'request.aborted':
      return new TwinrankError('cancelled', 'The caller went away while sending.', { cause: error });
    case 'entity.parse.failed':
      return new TwinrankError('bad_request', `The body is not JSON: ${error.message}.`);
    default:
      return new TwinrankError('bad_request', `The body cannot be read: ${error.message}.`);
  }
}

function sendJson(response: Response, status: number, body: string): void {
  if (response.destroyed || response.headersSent) return;
  const bytes = Buffer.from(body, 'utf8');
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(bytes.length),
  });
  response.end(bytes);
}
