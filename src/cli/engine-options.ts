/** Options of everything that talks to an engine on its own account. */
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

/** A client for the address; credentials may be in the URL. */
export function engineClient(
  url: URL,
  tls: { readonly ca: string | undefined; readonly insecure: boolean },
): EngineClient {
  return createEngineClient(url, { caFile: tls.ca, insecure: tls.insecure });
}
