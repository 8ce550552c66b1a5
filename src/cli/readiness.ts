/** Whether a service should get traffic, and why not. */
import { performance } from 'node:perf_hooks';
import { TwinrankError } from '../errors.js';
import type { ReadinessCheck } from '../http/admin-app.js';
import type { EncoderPool } from '../model/encoder-pool.js';
import type { EngineClient } from '../search-engine/client.js';

/** Where a service stands in its life. */
export type Stage = 'starting' | 'listening' | 'draining';

const REASONS: Readonly<Record<Stage, string>> = {
  starting: 'not listening yet: the model is loading or warming up',
  listening: '',
  draining: 'shutting down: requests under way are finished, new ones belong elsewhere',
};

/** Ready while the service listens and has not been told to end. */
export function stageCheck(stage: () => Stage): ReadinessCheck {
  return {
    name: 'service',
    check: () => {
      const now = stage();
      return Promise.resolve(now === 'listening' ? { ok: true } : { ok: false, reason: REASONS[now] });
    },
  };
}

/** Ready while a worker is up; each worker has proved the model by its golden examples before it counts. */
export function modelCheck(encoder: () => EncoderPool | undefined): ReadinessCheck {
  return {
    name: 'model',
    check: () => {
      const pool = encoder();
      if (pool === undefined) return Promise.resolve({ ok: false, reason: 'the model is loading' });
      return Promise.resolve(
        pool.stats().workers > 0 ? { ok: true } : { ok: false, reason: 'no inference worker is up' },
      );
    },
  };
}

const UPSTREAM_LIMIT_MS = 2_000;

/** Ready while the engine answers. */
export function upstreamCheck(client: EngineClient): ReadinessCheck {
  return {
    name: 'upstream',
    check: async () => {
      try {
        // Any answer will do: on a secured cluster it may be a refusal, and the engine is up all the same.
        const signal = AbortSignal.timeout(UPSTREAM_LIMIT_MS);
        await client.request({ method: 'GET', path: '/', signal });
        return { ok: true };
      } catch (error) {
        const reason = error instanceof TwinrankError ? error.message : String(error);
        return { ok: false, reason };
      }
    },
  };
}

const LOOK_EVERY_MS = 250;

/** What may be full: how much waits, and how much may. */
export interface Queue {
  readonly waiting: number;
  readonly limit: number;
}

export interface OverloadCheck extends ReadinessCheck {
  stop(): void;
}

/** Ready unless the queue has been nine tenths full, at every look, for `afterMs`; 0 is always ready. */
export function overloadCheck(
  queue: () => Queue | undefined,
  afterMs: number,
  now: () => number = performance.now.bind(performance),
): OverloadCheck {
  let fullSince: number | undefined;
  const look = (): Queue | undefined => {
    const found = queue();
    const isFull = found !== undefined && found.waiting >= 0.9 * found.limit;
    fullSince = isFull ? (fullSince ?? now()) : undefined;
    return found;
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  timer.unref();
  return {
    name: 'load',
    check: () => {
      const found = look();
      if (afterMs === 0 || fullSince === undefined || now() - fullSince < afterMs)
        return Promise.resolve({ ok: true });
      const reason = `overloaded: ${found?.waiting} of at most ${found?.limit} wait`;
      return Promise.resolve({ ok: false, reason });
    },
    stop: () => clearInterval(timer),
  };
}
