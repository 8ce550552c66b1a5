/** GET requests to the Hub and to the hosts that it sends us on to, through the user's proxy. Hub's only user of undici. */
import { EnvHttpProxyAgent, type Dispatcher } from 'undici';
import { asTwinrankError, TwinrankError, type ErrorCode } from '../errors.js';
import { createAnswerBody } from './answer-body.js';

/** Addresses of proxies by the scheme of what is asked for; empty for none. */
export interface Proxies {
  readonly http: string;
  readonly https: string;
  /** Hosts that are asked directly, in the form of NO_PROXY. */
  readonly except: string;
}

export type Headers = Readonly<Record<string, string>>;

export interface Answer {
  readonly status: number;
  /** Value of a header by its lower-case name. */
  readonly header: (name: string) => string | undefined;
  /** To be read to its end, or discarded. */
  readonly body: AsyncIterable<Buffer>;
  readonly discard: () => void;
}

export interface Transport {
  /** One request; redirects are not followed. Connections that fail are a {@link PassingError}. */
  get(url: URL, headers: Headers, signal: AbortSignal): Promise<Answer>;
  close(): Promise<void>;
}

/** A failure that may be over at the next try. */
export class PassingError extends TwinrankError {
  /** Milliseconds that the server wants us to wait; null where it does not say. */
  readonly retryAfter: number | null;

  constructor(code: ErrorCode, message: string, retryAfter: number | null, options?: { cause?: unknown }) {
    super(code, message, options);
    this.retryAfter = retryAfter;
  }
}

/** @param silenceMs how long a server may say nothing before the connection counts as lost */
export function createTransport(proxies: Proxies, silenceMs: number): Transport {
  const agent = new EnvHttpProxyAgent({
    // Given as empty they are empty; left out, undici would read the environment itself.
    httpProxy: proxies.http,
    httpsProxy: proxies.https,
    noProxy: proxies.except,
    // Proxies seldom allow tunnels to port 80.
    proxyTunnel: false,
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
    connect: { timeout: silenceMs },
  });
  return {
    get: (url, headers, signal) => send(agent, url, headers, signal),
    close: () => agent.destroy(),
  };
}

function send(agent: Dispatcher, url: URL, headers: Headers, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let cancel: ((reason: Error) => void) | undefined;
    let carryOn: (() => void) | undefined;
    const left = new Error('nobody waits for the answer');
    const body = createAnswerBody({ onRoom: () => carryOn?.(), onLeft: () => cancel?.(left) });
    const end = (failure?: TwinrankError): void => {
      signal.removeEventListener('abort', onAbort);
      body.end(failure);
      // Of no effect once the head has come.
      if (failure !== undefined) reject(failure);
    };
    const onAbort = (): void => {
      cancel?.(left);
      end(asTransportError(left, url, signal));
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    agent.dispatch(
      { origin: url.origin, path: `${url.pathname}${url.search}`, method: 'GET', headers: { ...headers } },
      {
        onConnect(abort) {
          cancel = abort;
          if (signal.aborted) abort(left);
        },
        onHeaders(status, rawHeaders, resume) {
          // Interim answers are for the connection that they came on.
          if (status < 200) return true;
          carryOn = resume;
          const received = headerMap(rawHeaders);
          const header = (name: string): string | undefined => received.get(name);
          resolve({ status, header, body: body.read(), discard: () => body.leave() });
          return true;
        },
        onData: (chunk) => body.push(chunk),
        onComplete: () => end(),
        onError: (error) => end(asTransportError(error, url, signal)),
      },
    );
  });
}

/** First values by lower-case name, of names and values in turn. */
function headerMap(rawHeaders: readonly Buffer[]): Map<string, string> {
  const map = new Map<string, string>();
  for (let n = 0; n + 1 < rawHeaders.length; n += 2) {
    const name = String(rawHeaders[n]).toLowerCase();
    if (!map.has(name)) map.set(name, String(rawHeaders[n + 1]));
  }
  return map;
}

function asTransportError(error: unknown, { origin }: URL, signal: AbortSignal): TwinrankError {
  // Undici calls a tunnel that the proxy refuses an abort too.
  if (signal.aborted) {
    const { reason } = signal as { readonly reason: unknown };
    if (reason instanceof TwinrankError) return reason;
    return new TwinrankError('cancelled', 'Interrupted. The same command goes on where it stopped.', {
      cause: error,
    });
  }
  if (!(error instanceof Error)) return asTwinrankError(error);
  const code = (error as NodeJS.ErrnoException).code ?? error.name;
  const options = { cause: error };
  if (/CERT|SIGNATURE|ERR_TLS/.test(code)) {
    return new TwinrankError(
      'upstream_unreachable',
      `The certificate of ${origin} is not trusted (${code}). Name the authority's file in NODE_EXTRA_CA_CERTS.`,
      options,
    );
  }
  const refused = /\((\d{3})\)/.exec(/proxy/i.test(error.message) ? error.message : '')?.[1];
  if (refused !== undefined) return proxyError(refused, origin, options);
  if (/TIMEOUT/.test(code)) {
    return new PassingError('upstream_timeout', `${origin} has been silent for too long.`, null, options);
  }
  return new PassingError(
    'upstream_unreachable',
    `${origin} cannot be reached or closed the connection (${code}). Check the address and the proxy variables.`,
    null,
    options,
  );
}

function proxyError(status: string, origin: string, options: { cause: unknown }): TwinrankError {
  if (status.startsWith('5'))
    return new PassingError(
      'upstream_unreachable',
      `The proxy cannot reach ${origin} (${status}).`,
      null,
      options,
    );
  const remedy =
    status === '407'
      ? 'asks for a user and a password. Put them into its address in HTTPS_PROXY or HTTP_PROXY.'
      : `refuses the connection to ${origin} (${status}). Have it allowed there, or name the host in NO_PROXY.`;
  return new TwinrankError('upstream_unreachable', `The proxy ${remedy}`, options);
}
