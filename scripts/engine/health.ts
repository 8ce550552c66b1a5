/** Asks a starting engine whether its cluster can be used. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Credentials } from './engine-table.js';

export interface HealthTarget {
  readonly url: string;
  readonly ca?: string;
  readonly credentials?: Credentials;
}

const LIMIT_MS = 5_000;

/** True when the engine answers and its cluster is yellow or green; whatever else happens is false. */
export function isHealthy(target: HealthTarget): Promise<boolean> {
  return hasHealth(target, 'wait_for_status=yellow', ['yellow', 'green']);
}

/** True when that many nodes make up the cluster and every copy of every shard is in place. */
export function clusterIsGreen(url: string, nodes: number): Promise<boolean> {
  return hasHealth({ url }, `wait_for_status=green&wait_for_nodes=${nodes}`, ['green']);
}

function hasHealth(target: HealthTarget, wish: string, statuses: readonly string[]): Promise<boolean> {
  const url = new URL(`/_cluster/health?${wish}&timeout=2s`, target.url);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const { ca, credentials } = target;
  return new Promise((resolve) => {
    const request = send(url, {
      agent: false,
      signal: AbortSignal.timeout(LIMIT_MS),
      ...(ca === undefined ? {} : { ca }),
      ...(credentials === undefined ? {} : { auth: `${credentials.username}:${credentials.password}` }),
    });
    request.once('error', () => resolve(false));
    request.once('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.once('error', () => resolve(false));
      response.once('end', () => resolve(response.statusCode === 200 && statuses.includes(statusIn(body))));
    });
    request.end();
  });
}

function statusIn(body: string): string {
  try {
    return (JSON.parse(body) as { status?: string }).status ?? '';
  } catch {
    return '';
  }
}
