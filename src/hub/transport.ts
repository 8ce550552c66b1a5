/** GET requests to the Hub and to the hosts that it sends us on to, through the user's proxy. Hub's only user of undici. */
import { EnvHttpProxyAgent, request } from 'undici';
import { asTwinrankError, isAbort, TwinrankError, type ErrorCode } from '../errors.js';

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
    get: async (url, headers, signal) => {
      const failed = (error: unknown): TwinrankError => asTransportError(error, url, signal);
      const answer = await request(url, { dispatcher: agent, headers: { ...headers }, signal }).catch(
        (error: unknown) => {
          throw failed(error);
        },
      );
      const { statusCode, headers: received, body } = answer;
      return {
        status: statusCode,
        header: (name) => [received[name]].flat()[0],
        body: translated(body, failed),
        discard: () => {
          // Its end would be an error that nobody waits for.
          body.on('error', () => undefined).destroy();
        },
      };
    },
    close: () => agent.destroy(),
  };
}

async function* translated(
  body: AsyncIterable<Buffer>,
  failed: (error: unknown) => TwinrankError,
): AsyncGenerator<Buffer> {
  try {
    yield* body;
  } catch (error) {
    throw failed(error);
  }
}

function asTransportError(error: unknown, { origin }: URL, signal: AbortSignal): TwinrankError {
  if (signal.aborted || isAbort(error)) {
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
  if (/proxy/i.test(error.message) && /407/.test(error.message)) {
    return new TwinrankError(
      'upstream_unreachable',
      'The proxy asks for a user and a password. Put them into its address in HTTPS_PROXY or HTTP_PROXY.',
      options,
    );
  }
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
