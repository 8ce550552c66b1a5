/** The admin port's routes, apart from the data ports: liveness, readiness with reasons, metrics. */
import express, { type Express, type Router } from 'express';
import { asTwinrankError } from '../errors.js';
import { createKeyCheck } from './api-key.js';

/** One condition for taking traffic; `ok` false makes the service unready, `reason` says why. */
export interface ReadinessCheck {
  readonly name: string;
  check(): Promise<{ readonly ok: boolean; readonly reason?: string }>;
}

export interface AdminOptions {
  readonly checks: readonly ReadinessCheck[];
  /** The metrics in Prometheus' text form. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** Who calls anything but liveness and readiness must show it as `Authorization: Bearer TOKEN`. */
  readonly token?: string | undefined;
  readonly playground?: AdminPage | undefined;
}

/** A page below `/playground`. */
export interface AdminPage {
  /** Its files. They are the same everywhere and open to all: a browser that is sent to an address shows no token. */
  readonly files: Router;
  /** What it calls, behind the token. */
  readonly calls: Router;
}

/**
 * `GET /health/live` and `GET /health/ready`, open to all; behind the token `GET /metrics` and what the caller adds
 * in `addRoutes`.
 */
export function createAdminApp(
  { checks, metrics, token, playground }: AdminOptions,
  addRoutes: (app: Express) => void = () => undefined,
): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.use((_request, response, next) => {
    response.setHeader('cache-control', 'no-store');
    next();
  });
  app.get('/health/live', (_request, response) => {
    response.json({ status: 'live' });
  });
  app.get('/health/ready', async (_request, response) => {
    const results = await Promise.all(
      checks.map(async (check) => ({ name: check.name, ...(await check.check()) })),
    );
    const ready = results.every((result) => result.ok);
    response.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'not ready', checks: results });
  });
  if (playground !== undefined) {
    app.use('/playground', playground.files);
    app.get('/', (_request, response) => {
      response.redirect(302, 'playground/');
    });
  }
  const checkToken = createKeyCheck(token === undefined ? [] : [token], 'admin token');
  app.use((request, response, next) => {
    try {
      checkToken(request.headers.authorization);
    } catch (error) {
      const { status, message } = asTwinrankError(error);
      response.status(status).setHeader('www-authenticate', 'Bearer').json({ error: message });
      return;
    }
    next();
  });
  app.get('/metrics', async (_request, response) => {
    const { contentType, text } = await metrics();
    response.setHeader('content-type', contentType).end(text);
  });
  if (playground !== undefined) app.use('/playground', playground.calls);
  addRoutes(app);
  app.use((request, response) => {
    response.status(404).json({ error: `There is no ${request.method} ${request.path} on the admin port.` });
  });
  return app;
}
