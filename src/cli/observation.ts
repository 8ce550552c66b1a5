/** What can be seen of a service that listens: its metrics, a line a request, and the admin port that shows both. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { createAdminApp, type AdminPage, type ReadinessCheck } from '../http/admin-app.js';
import type { Exchange } from '../http/pass-through.js';
import { newRequestId } from '../http/request-id.js';
import { newRecord, type RequestEnd } from '../http/request-record.js';
import type { AnyServer } from '../http/listen.js';
import type { EncoderPoolStats } from '../model/encoder-pool.js';
import { adminTokenOf, isOpenToOthers, OPEN_ADMIN_PORT } from './admin-token.js';
import type { LISTENER_OPTIONS } from './listener.js';
import { createBulkLog, type Log } from './log.js';
import { addEncoderMetrics, type EncoderCounting } from './metrics/encoder-metrics.js';
import { addProcessMetrics } from './metrics/process-metrics.js';
import { createMetrics, type Metrics } from './metrics/registry.js';
import { addRequestMetrics } from './metrics/request-metrics.js';
import type { OptionValues } from './options.js';
import { overloadCheck, type Queue } from './readiness.js';
import { createRequestLog } from './request-log.js';

/** Hands what the services tell to whoever counts and logs. */
export interface Observation {
  readonly metrics: Metrics;
  readonly encoder: EncoderCounting;
  readonly onBegin: () => void;
  readonly onEnd: (exchange: Exchange, end: RequestEnd) => void;
  /** Watches the requests of a server that is no service over an engine; `kindOf` gives a word of a closed set. */
  watch(server: AnyServer, kindOf: (request: IncomingMessage) => string): void;
  /** The admin port's server; it does not listen yet. */
  readonly admin: Server;
  stop(): void;
}

export interface Observed {
  readonly name: string;
  readonly values: OptionValues<typeof LISTENER_OPTIONS>;
  readonly log: Log;
  readonly checks: readonly ReadinessCheck[];
  /** Undefined while the model is loading. */
  readonly stats: () => EncoderPoolStats | undefined;
  /** What must not stay full if the service is to be ready. */
  readonly queue: () => Queue | undefined;
  /** What the admin port shows below `/playground`, if anything. */
  readonly playground?: AdminPage | undefined;
}

/** Begins to observe. Rejects with `bad_config`. */
export async function observe({
  name,
  values,
  log,
  checks,
  stats,
  queue,
  playground,
}: Observed): Promise<Observation> {
  const token = await adminTokenOf(values);
  if (isOpenToOthers(values.admin, token)) log.warn({ admin: values.admin.host }, OPEN_ADMIN_PORT);
  const metrics = createMetrics();
  const loop = addProcessMetrics(metrics);
  const counting = addRequestMetrics(metrics);
  const requestLog = createRequestLog(createBulkLog(name, values.logLevel), {
    requests: values.logRequests,
    slowMs: values.slowMs,
    queries: values.logQueries,
  });
  const load = overloadCheck(queue, values.unreadyAfter);
  const { contentType } = metrics;
  const admin = createServer(
    createAdminApp({
      checks: [...checks, load],
      metrics: async () => ({ contentType, text: await metrics.text() }),
      token,
      playground,
    }),
  );
  return {
    metrics,
    encoder: addEncoderMetrics(metrics, stats),
    onBegin: counting.begin,
    onEnd(exchange, end) {
      const { request, record } = exchange;
      counting.end(record, end);
      if (!requestLog.wants(record, end)) return;
      const { method = '', url: target = '', rawHeaders } = request;
      requestLog.write({ id: exchange.id, method, target, rawHeaders, record }, end);
    },
    watch(server, kindOf) {
      server.on('request', (request: IncomingMessage, response: ServerResponse) => {
        counting.begin();
        const began = performance.now();
        const { socket, method = '', url: target = '', rawHeaders } = request;
        const { bytesRead, bytesWritten } = socket;
        response.once('close', () => {
          const status = response.headersSent ? response.statusCode : 0;
          const outcome = status >= 400 ? 'refused' : 'answered';
          const record = { ...newRecord(), kind: kindOf(request), outcome };
          const end: RequestEnd = {
            ms: performance.now() - began,
            status,
            bytesIn: socket.bytesRead - bytesRead,
            bytesOut: socket.bytesWritten - bytesWritten,
            isCancelled: !response.writableFinished,
          };
          counting.end(record, end);
          if (!requestLog.wants(record, end)) return;
          requestLog.write({ id: newRequestId(), method, target, rawHeaders, record }, end);
        });
      });
    },
    admin,
    stop() {
      loop.stop();
      load.stop();
    },
  };
}
