/** The token of an admin port: options, and where it comes from. */
import { readFile } from 'node:fs/promises';
import { TwinrankError } from '../errors.js';
import { isLoopbackName } from '../http/loopback.js';
import { text, type ListenAddress, type OptionTable, type OptionValues } from './options.js';

export const ADMIN_TOKEN_OPTIONS = {
  adminToken: {
    flag: 'admin-token',
    env: 'TWINRANK_ADMIN_TOKEN',
    secret: true,
    help: 'Who calls the admin port, but for /health, must send "Authorization: Bearer TOKEN". Others can read flags: use the environment or a file.',
    parse: text,
  },
  adminTokenFile: {
    flag: 'admin-token-file',
    env: 'TWINRANK_ADMIN_TOKEN_FILE',
    help: 'File that holds the admin token.',
    parse: text,
  },
} satisfies OptionTable;

/** The token of the admin port; undefined leaves it open. Throws `bad_config`. */
export async function adminTokenOf({
  adminToken,
  adminTokenFile,
}: OptionValues<typeof ADMIN_TOKEN_OPTIONS>): Promise<string | undefined> {
  if (adminTokenFile === undefined) return adminToken;
  if (adminToken !== undefined)
    throw new TwinrankError('bad_config', '--admin-token and --admin-token-file exclude each other.');
  const content = await readFile(adminTokenFile, 'utf8').catch((error: unknown) => {
    const reason = (error as Error).message;
    const message = `--admin-token-file: ${adminTokenFile} cannot be read (${reason}).`;
    throw new TwinrankError('bad_config', message, { cause: error });
  });
  const token = content.trim();
  if (token !== '') return token;
  throw new TwinrankError('bad_config', `--admin-token-file: ${adminTokenFile} holds no token.`);
}

/** What an operator is told whose admin port is open to other machines. */
export const OPEN_ADMIN_PORT = 'the admin port is open to others; --admin-token-file protects it';

/** True where other machines can read the admin port without showing anything. */
export function isOpenToOthers({ host }: ListenAddress, token: string | undefined): boolean {
  return token === undefined && !isLoopbackName(host);
}
