/** TLS and users of the secured engine: a certificate made on the spot, and the security plugin's configuration. */
import { execFile } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Guards files that live as long as the engine, in its own run folder. */
const PASSWORD = 'only-for-this-run';
const STORES = { keystore: 'node.p12', truststore: 'trust.p12' } as const;
const CERTIFICATE = 'ca.pem';
const ALIAS = 'node';

export interface Security {
  /** PEM of the certificate to trust. */
  readonly caFile: string;
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Fills `home`/config: a certificate for loopback that is its own authority, by the JDK's keytool, which is
 * there wherever the engine runs, and a copy of the plugin's files from `configuration`.
 */
export async function setUpSecurity(java: string, home: string, configuration: string): Promise<Security> {
  const config = join(home, 'config');
  await mkdir(config, { recursive: true });
  await cp(configuration, join(config, 'opensearch-security'), { recursive: true });
  const keytool = dirname(java) === '.' ? 'keytool' : join(dirname(java), 'keytool');
  const call = (store: keyof typeof STORES, ...args: readonly string[]): Promise<unknown> => {
    const where = ['-keystore', join(config, STORES[store]), '-storetype', 'PKCS12', '-storepass', PASSWORD];
    return run(keytool, [...args, '-alias', ALIAS, ...where], { timeout: 60_000 });
  };
  const caFile = join(config, CERTIFICATE);
  await call(
    'keystore',
    '-genkeypair',
    ...['-keyalg', 'RSA', '-keysize', '2048', '-validity', '30', '-dname', 'CN=node'],
    ...['-ext', 'san=dns:localhost,ip:127.0.0.1', '-ext', 'bc=ca:true'],
    ...['-ext', 'ku=digitalSignature,keyEncipherment,keyCertSign', '-ext', 'eku=serverAuth,clientAuth'],
  );
  await call('keystore', '-exportcert', '-rfc', '-file', caFile);
  await call('truststore', '-importcert', '-noprompt', '-file', caFile);
  return { caFile, settings: SETTINGS };
}

const SETTINGS: Readonly<Record<string, string>> = {
  ...storeSettings('transport'),
  ...storeSettings('http'),
  'plugins.security.ssl.transport.enforce_hostname_verification': 'false',
  'plugins.security.ssl.http.enabled': 'true',
  'plugins.security.allow_default_init_securityindex': 'true',
  'plugins.security.nodes_dn': 'CN=node',
  'plugins.security.restapi.roles_enabled': 'all_access',
  'plugins.security.audit.type': 'noop',
};

function storeSettings(layer: 'transport' | 'http'): Record<string, string> {
  const key = (name: string): string => `plugins.security.ssl.${layer}.${name}`;
  return Object.fromEntries(
    Object.entries(STORES).flatMap(([kind, file]) => [
      [key(`${kind}_type`), 'PKCS12'],
      [key(`${kind}_filepath`), file],
      [key(`${kind}_password`), PASSWORD],
      [key(`${kind}_alias`), ALIAS],
    ]),
  );
}
