/**
 * The container's health check: asks the admin port of the service in the same container whether it is ready, and
 * ends with 0 or 1. A program of its own, since it runs every few seconds and need not load the others.
 */
import { get } from 'node:http';
import { listenAddress } from './options.js';

const LIMIT_MS = 3_000;

/** A service that listens on every address is asked on this machine's own. */
function askedHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

const { host, port } = listenAddress(process.env['TWINRANK_ADMIN'] ?? '127.0.0.1:9210');
const request = get({ host: askedHost(host), port, path: '/health/ready', timeout: LIMIT_MS }, (response) => {
  response.pipe(process.stdout);
  response.once('end', () => {
    process.stdout.write('\n');
    process.exitCode = response.statusCode === 200 ? 0 : 1;
  });
});
request.once('timeout', () => {
  request.destroy(new Error(`no answer within ${LIMIT_MS} ms`));
});
request.once('error', (error) => {
  process.stderr.write(`The admin port ${host}:${port} does not answer: ${error.message}\n`);
  process.exitCode = 1;
});
