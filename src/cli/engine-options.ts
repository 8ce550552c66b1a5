/** Options of everything that talks to an engine on its own account. */
import { TwinrankError } from '../errors.js';
import { readInputText } from '../evaluate/read-input.js';
import type { SearchTarget } from '../evaluate/search-http.js';
import { createEngineClient, type EngineClient } from '../search-engine/client.js';
import { flag, text, type OptionTable } from './options.js';

export const TLS_OPTIONS = {
  ca: {
    flag: 'ca',
    env: 'TWINRANK_CA',
    help: 'PEM file of the certificate authority to trust for https.',
    parse: text,
  },
  insecure: {
    flag: 'insecure',
    env: 'TWINRANK_INSECURE',
    help: 'Accept any certificate. For tests only.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
} satisfies OptionTable;

interface Tls {
  readonly ca: string | undefined;
  readonly insecure: boolean;
}

/** Throws `bad_config` for TLS options that cannot be meant for this address. */
export function refuseTlsContradictions(url: URL, tls: Tls): void {
  if (tls.ca !== undefined && tls.insecure) {
    throw new TwinrankError(
      'bad_config',
      '--ca and --insecure contradict each other: trust that authority, or any certificate.',
    );
  }
  if (url.protocol === 'http:' && (tls.ca !== undefined || tls.insecure)) {
    throw new TwinrankError(
      'bad_config',
      `--${tls.insecure ? 'insecure' : 'ca'} is for https, but the address is http.`,
    );
  }
}

/** A client for the address; credentials may be in the URL. */
export function engineClient(url: URL, tls: Tls): EngineClient {
  refuseTlsContradictions(url, tls);
  return createEngineClient(url, { caFile: tls.ca, insecure: tls.insecure });
}

/** The same options for searches that go past the client. Rejects with `bad_input_file` where --ca cannot be read. */
export async function searchTls({ ca, insecure }: Tls): Promise<NonNullable<SearchTarget['tls']>> {
  return {
    ...(ca === undefined ? {} : { ca: await readInputText(ca) }),
    rejectUnauthorized: !insecure,
  };
}
