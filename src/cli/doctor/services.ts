/** What doctor says of the proxy and the sidecar from outside. Pure. */
import { asRecord, isRecord } from '../../search-engine/json-value.js';
import type { CheckName, Finding } from './finding.js';
import { bodyOf, statusOf, whyOf, type Reply } from './reply.js';

/** A service's data port, asked what cluster is behind it. */
export interface ServiceFacts {
  readonly service: 'proxy' | 'sidecar';
  readonly address: string;
  readonly root: Reply;
}

const COMMANDS = { proxy: 'twinrank rerank', sidecar: 'twinrank ingest' } as const;

/** @param engineRoot what the engine itself answers to `GET /` */
export function serviceFinding(
  { service, address, root }: ServiceFacts,
  engineRoot: Reply | undefined,
): Finding {
  const check = service;
  if (root.kind === 'failure')
    return {
      check,
      status: 'fail',
      message: `The ${service} is down: ${root.error.message}`,
      remedy: `Start it (${COMMANDS[service]}), or correct --${service}.`,
    };
  const status = statusOf(root);
  if (status >= 500)
    return {
      check,
      status: 'fail',
      message: `${address} is up, but has no way to the engine (${whyOf(root)}).`,
      remedy: `See its log, and its --upstream.`,
    };
  const [there, here] = [clusterOf(root), engineRoot === undefined ? undefined : clusterOf(engineRoot)];
  if (there !== undefined && here !== undefined && there !== here)
    return {
      check,
      status: 'fail',
      message: `${address} has another cluster behind it than --upstream.`,
      remedy: `Give the ${service} and doctor the same --upstream.`,
    };
  const same = there !== undefined && there === here ? ', with the same cluster behind it' : '';
  return { check, status: 'ok', message: `${address} answers${same}.` };
}

function clusterOf(root: Reply): string | undefined {
  const id = asRecord(bodyOf(root))['cluster_uuid'];
  return typeof id === 'string' ? id : undefined;
}

/** @param ready what the admin port answers to `GET /health/ready` */
export function adminFinding(service: ServiceFacts['service'], address: string, ready: Reply): Finding {
  const check: CheckName = `${service}-admin`;
  if (ready.kind === 'failure')
    return {
      check,
      status: 'fail',
      message: `The admin port of the ${service} is down: ${ready.error.message}`,
      remedy: `Start the ${service} with --admin at a fixed port, or correct --${service}-admin.`,
    };
  const status = statusOf(ready);
  if (status === 200) return { check, status: 'ok', message: `${address} is ready.` };
  const checks = asRecord(ready.answer.body)['checks'];
  const reasons = (Array.isArray(checks) ? (checks as unknown[]) : [])
    .filter(isRecord)
    .filter((one) => one['ok'] !== true)
    .map((one) => `${String(one['name'])}: ${String(one['reason'])}`);
  if (status !== 503 || reasons.length === 0)
    return {
      check,
      status: 'fail',
      message: `${address} is not the admin port of a service (status ${status}).`,
      remedy: `Correct --${service}-admin; a service prints the address when it starts.`,
    };
  return {
    check,
    status: 'fail',
    message: `The ${service} is not ready: ${reasons.join('; ')}.`,
    remedy: 'Wait if it has just started; else see its log.',
  };
}
