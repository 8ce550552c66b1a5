/** What doctor says of the engine as a whole. Pure. */
import { asRecord } from '../../search-engine/json-value.js';
import { identityOf, type EngineIdentity } from '../../search-engine/native-support.js';
import type { Finding } from './finding.js';
import { bodyOf, isForbidden, statusOf, whyOf, type Reply } from './reply.js';

export interface EngineFacts {
  /** Without credentials. */
  readonly address: string;
  readonly isHttps: boolean;
  /** Nobody but this machine can listen to the connection. */
  readonly isLocal: boolean;
  readonly insecure: boolean;
  readonly hasCredentials: boolean;
  readonly root: Reply;
  readonly health: Reply;
  /** `GET /_nodes/_local/stats/process`, which says what time the engine has. */
  readonly clock: Reply;
  /** Milliseconds since 1970 by our own clock, when the clock's answer was there. */
  readonly now: number;
}

/** Versions that are known to work, from the first major on to the last. */
const SUPPORTED: Readonly<Record<EngineIdentity['name'], readonly [first: number, last: number]>> = {
  OpenSearch: [1, 3],
  Elasticsearch: [7, 9],
};
const CLOCK_TOLERANCE_MS = 60_000;
const CERTIFICATE = /certificate|self.signed|altname|CERT_|UNABLE_TO_|ssl|tls|wrong version number/i;

/** True where the engine answers and knows the caller, so that more can be asked. */
export function isUsable({ root }: EngineFacts): boolean {
  return root.kind === 'answer' && statusOf(root) !== 401 && statusOf(root) < 500;
}

export function engineFindings(facts: EngineFacts): readonly Finding[] {
  const { root, address } = facts;
  if (root.kind === 'failure') return [unreachable(facts, root.error.message)];
  if (statusOf(root) >= 500)
    return [
      {
        check: 'engine',
        status: 'fail',
        message: `${address} is up, but cannot answer (${whyOf(root)}).`,
        remedy: "See the engine's log; run doctor again when it is well.",
      },
    ];
  const reached: Finding = { check: 'engine', status: 'ok', message: `${address} answers.` };
  const known = credentialsFinding(facts);
  if (known.status === 'fail') return [reached, tlsFinding(facts), known];
  return [
    reached,
    tlsFinding(facts),
    known,
    versionFinding(facts),
    healthFinding(facts),
    clockFinding(facts),
  ];
}

function unreachable({ isHttps, address }: EngineFacts, reason: string): Finding {
  if (isHttps && CERTIFICATE.test(reason))
    return {
      check: 'tls',
      status: 'fail',
      message: reason,
      remedy: /wrong version number/i.test(reason)
        ? 'The engine speaks plain http there: give an http: address.'
        : 'Give --ca FILE with the authority that signed the certificate, and the host name that stands in it.',
    };
  return {
    check: 'engine',
    status: 'fail',
    message: reason,
    remedy: isHttps
      ? `Start the engine, or correct --upstream. Can ${address} be reached from here with another tool?`
      : `Start the engine, or correct --upstream. An engine that has TLS on wants an https: address.`,
  };
}

function tlsFinding({ isHttps, isLocal, insecure, hasCredentials }: EngineFacts): Finding {
  if (isHttps && insecure)
    return {
      check: 'tls',
      status: 'warn',
      message: 'The connection is encrypted, but any certificate is accepted (--insecure).',
      remedy: 'Give --ca FILE instead.',
    };
  if (isHttps) return { check: 'tls', status: 'ok', message: "The engine's certificate is trusted." };
  if (hasCredentials && !isLocal)
    return {
      check: 'tls',
      status: 'warn',
      message: 'User and password travel unencrypted.',
      remedy: 'Give an https: address.',
    };
  return { check: 'tls', status: 'ok', message: 'Plain http.' };
}

function credentialsFinding({ root, hasCredentials }: EngineFacts): Finding {
  const check = 'credentials';
  if (statusOf(root) === 401)
    return hasCredentials
      ? {
          check,
          status: 'fail',
          message: 'The engine refuses the user and password.',
          remedy: 'Correct them in --upstream; special characters must be percent-encoded.',
        }
      : {
          check,
          status: 'fail',
          message: 'The engine wants a user and password.',
          remedy:
            'Put them into the address: --upstream https://USER:PASSWORD@HOST:9200, or into TWINRANK_UPSTREAM.',
        };
  if (hasCredentials) return { check, status: 'ok', message: 'The engine knows the user.' };
  return { check, status: 'ok', message: 'The engine asks for none.' };
}

function versionFinding({ root }: EngineFacts): Finding {
  const check = 'version';
  if (isForbidden(root))
    return {
      check,
      status: 'skipped',
      message: 'These credentials may not ask the engine for its version; twinrank does not need it.',
    };
  const engine = identityOf(bodyOf(root));
  if (engine === undefined)
    return {
      check,
      status: 'fail',
      message: `The answer is not that of an OpenSearch or Elasticsearch (${whyOf(root)}).`,
      remedy: 'Correct --upstream: it must be the address of the engine.',
    };
  const [first, last] = SUPPORTED[engine.name];
  const major = Number(engine.version.split('.')[0]);
  const name = `${engine.name} ${engine.version}`;
  if (major < first)
    return {
      check,
      status: 'fail',
      message: `${name} is older than what twinrank works with (${first} to ${last}).`,
      remedy: `Upgrade the engine to ${engine.name} ${first} or newer.`,
    };
  if (major > last)
    return {
      check,
      status: 'warn',
      message: `${name} is newer than what twinrank is known to work with (${first} to ${last}).`,
      remedy: 'Try it on a copy first, and look for a newer twinrank.',
    };
  return { check, status: 'ok', message: `${name}.`, data: { engine: engine.name, version: engine.version } };
}

function healthFinding({ health }: EngineFacts): Finding {
  const check = 'health';
  const body = asRecord(bodyOf(health));
  const { status, number_of_nodes: nodes } = body;
  if (typeof status !== 'string')
    return {
      check,
      status: 'skipped',
      message: `The health of the cluster is not shown (${whyOf(health)}).`,
    };
  const what = `The cluster is ${status}, ${String(nodes)} ${nodes === 1 ? 'node' : 'nodes'}`;
  if (status === 'red')
    return {
      check,
      status: 'fail',
      message: `${what}: some shards cannot be searched at all.`,
      remedy: 'GET /_cluster/allocation/explain on the engine says why.',
    };
  // A lone node has nowhere to put replicas.
  if (status === 'yellow' && nodes !== 1)
    return {
      check,
      status: 'warn',
      message: `${what}: ${String(body['unassigned_shards'])} replicas have no place.`,
      remedy: 'GET /_cluster/allocation/explain on the engine says why.',
    };
  return { check, status: 'ok', message: `${what}.` };
}

function clockFinding({ clock, now }: EngineFacts): Finding {
  const check = 'clock';
  const [node] = Object.values(asRecord(asRecord(bodyOf(clock))['nodes']));
  const time = asRecord(node)['timestamp'];
  if (typeof time !== 'number')
    return { check, status: 'skipped', message: `The engine does not show its clock (${whyOf(clock)}).` };
  const off = Math.round((time - now) / 1000);
  if (Math.abs(time - now) <= CLOCK_TOLERANCE_MS)
    return { check, status: 'ok', message: 'The clocks of engine and this machine agree.' };
  return {
    check,
    status: 'warn',
    message: `The engine's clock is ${Math.abs(off)} s ${off > 0 ? 'ahead of' : 'behind'} this machine's: logs cannot be compared, certificates may seem out of date.`,
    remedy: 'Set both by NTP.',
  };
}
