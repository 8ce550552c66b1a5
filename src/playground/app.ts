/** The playground on the admin port: the page's files, searches through the proxy, and the judged view's figures. */
import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import { asTwinrankError, TwinrankError } from '../errors.js';
import type { AdminPage } from '../http/admin-app.js';
import { replyWithError } from '../http/error-reply.js';
import { leavingSignal } from '../http/client-exchange.js';
import { createFiguresThread, type FiguresTask } from './figures-thread.js';
import { callRefusal, pageRefusal, type GuardOptions } from './guard.js';
import { readPageFiles, type PageFile } from './page-files.js';
import { callProxy, type ProxyCall } from './proxy-call.js';

export interface PlaygroundOptions extends GuardOptions {
  /** Address of the proxy's own data port; undefined while it does not listen. */
  readonly proxy: () => URL | undefined;
}

const MAX_SEARCH_BYTES = 1024 * 1024;
/** Hits of a thousand queries, both sides. */
const MAX_FIGURES_BYTES = 32 * 1024 * 1024;

/** No script, style or request but from here, and no frame around the page. */
const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-cache',
};

/** The page's files and its calls. Rejects where the files cannot be read. */
export async function createPlayground(options: PlaygroundOptions): Promise<AdminPage> {
  return { files: fileRoutes(await readPageFiles(), options), calls: callRoutes(options) };
}

function fileRoutes(files: ReadonlyMap<string, PageFile>, guard: GuardOptions): Router {
  const router = express.Router({ strict: true });
  router.get(['', '/', '/:file'], (request, response, next) => {
    // The page's own addresses are relative to a folder.
    if (request.originalUrl.split('?')[0]?.endsWith('/playground') === true) {
      response.redirect(308, 'playground/');
      return;
    }
    const name = request.params['file'];
    const file = files.get(typeof name === 'string' ? name : 'index.html');
    if (file === undefined) {
      next();
      return;
    }
    const refusal = pageRefusal(request.headers, guard);
    if (refusal !== undefined) throw new TwinrankError('forbidden', refusal);
    response.set(PAGE_HEADERS).type(file.type).send(file.bytes);
  });
  router.use(answerError);
  return router;
}

function callRoutes(options: PlaygroundOptions): Router {
  const reckon = createFiguresThread();
  const router = express.Router({ strict: true });
  router.use('/api', refuseOthers(options));
  router.get(
    '/api/indices',
    through(options, () => ({ kind: 'indices' })),
  );
  router.get(
    '/api/mapping',
    through(options, (request) => ({ kind: 'mapping', index: indexOf(request) })),
  );
  router.post(
    '/api/search',
    express.raw({ type: () => true, limit: MAX_SEARCH_BYTES, inflate: false }),
    through(options, (request) => ({ kind: 'search', index: indexOf(request), body: bodyOf(request) })),
  );
  const readText = express.text({ type: () => true, limit: MAX_FIGURES_BYTES, inflate: false });
  for (const kind of ['judgments', 'figures'] as const) {
    router.post(`/api/${kind}`, readText, async (request, response) => {
      const task: FiguresTask = { kind, body: typeof request.body === 'string' ? request.body : '' };
      response.type('json').send(await reckon(task, leavingSignal(request, response)));
    });
  }
  router.use(answerError);
  return router;
}

function refuseOthers(options: GuardOptions) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const refusal = callRefusal(request.method, request.headers, options);
    if (refusal !== undefined) throw new TwinrankError('forbidden', refusal);
    response.set({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    next();
  };
}

/** Answers with what the proxy says. */
function through({ proxy }: PlaygroundOptions, callOf: (request: Request) => ProxyCall) {
  return async (request: Request, response: Response): Promise<void> => {
    const url = proxy();
    if (url === undefined) throw new TwinrankError('not_ready', 'The proxy is starting. Retry in a moment.');
    const answer = await callProxy(url, callOf(request), request.headers, leavingSignal(request, response));
    response.status(answer.status).set(answer.headers).send(answer.body);
  };
}

function indexOf(request: Request): string {
  const { index } = request.query;
  if (typeof index !== 'string' || index === '') throw new TwinrankError('bad_request', 'Name an index.');
  return index;
}

function bodyOf(request: Request): Buffer {
  const body: unknown = request.body;
  if (!Buffer.isBuffer(body)) throw new TwinrankError('bad_request', 'A search needs a body.');
  return body;
}

/** Refusals of express itself say what is wrong by their status only. */
function answerError(thrown: unknown, _request: Request, response: Response, _next: NextFunction): void {
  const status = (thrown as { readonly status?: unknown }).status;
  const error =
    thrown instanceof TwinrankError
      ? thrown
      : status === 413
        ? new TwinrankError('body_too_large', 'The request is larger than the playground takes.')
        : typeof status === 'number' && status < 500
          ? new TwinrankError('bad_request', 'The request cannot be read.')
          : asTwinrankError(thrown);
  if (error.code !== 'cancelled') replyWithError(response, error);
}
