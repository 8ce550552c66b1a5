/** Proves that a proxy answers rightly before its speed counts: status line, headers and bytes as the upstream gives them. */
import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';

/** What an answer has to say; headers that belong to one connection or to the moment are left out. */
interface Answer {
  readonly status: string;
  readonly headers: readonly string[];
  readonly bytes: number;
  readonly sha256: string;
}

const OF_THE_CONNECTION = new Set(['connection', 'keep-alive', 'date', 'transfer-encoding']);
const ANSWER_LIMIT_MS = 10_000;

/** Throws where a request through `through` is answered otherwise than at `direct`. */
export async function proveRight(
  name: string,
  through: string,
  direct: string,
  paths: readonly string[],
): Promise<void> {
  const cases = [...paths.map((path) => ['GET', path]), ['HEAD', paths[0]], ['GET', '/missing?a=%20b&a']];
  for (const [method = '', path = ''] of cases) {
    const [got, wanted] = await Promise.all([answer(through, method, path), answer(direct, method, path)]);
    if (JSON.stringify(got) !== JSON.stringify(wanted))
      throw new Error(
        `${name} answers ${method} ${path} wrongly: ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`,
      );
  }
}

function answer(url: string, method: string, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      new URL(path, url),
      { method, agent: false, timeout: ANSWER_LIMIT_MS },
      (response) => {
        const hash = createHash('sha256');
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          hash.update(chunk);
          bytes += chunk.length;
        });
        response.once('error', reject).once('end', () => {
          const headers: string[] = [];
          for (let i = 0; i < response.rawHeaders.length; i += 2) {
            const header = response.rawHeaders[i]?.toLowerCase() ?? '';
            if (!OF_THE_CONNECTION.has(header))
              headers.push(`${header}: ${response.rawHeaders[i + 1] ?? ''}`);
          }
          resolve({
            status: `${response.statusCode ?? 0} ${response.statusMessage ?? ''}`,
            headers: headers.sort(),
            bytes,
            sha256: hash.digest('hex'),
          });
        });
      },
    );
    request.once('error', reject).once('timeout', () => {
      request.destroy(new Error(`no answer from ${url} in ${ANSWER_LIMIT_MS} ms`));
    });
    request.end();
  });
}
