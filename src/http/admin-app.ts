/** The admin port's routes, apart from the data ports: liveness and readiness with reasons. */
import express, { type Express } from 'express';

/** One condition for taking traffic; `ok` false makes the service unready, `reason` says why. */
export interface ReadinessCheck {
  readonly name: string;
  check(): Promise<{ readonly ok: boolean; readonly reason?: string }>;
}

/** `GET /health/live` and `GET /health/ready`. */
export function createAdminApp(checks: readonly ReadinessCheck[]): Express {
  const app = express();
  app.disable('x-powered-by');
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
  app.use((request, response) => {
    response.status(404).json({ error: `There is no ${request.method} ${request.path} on the admin port.` });
  });
  return app;
}
