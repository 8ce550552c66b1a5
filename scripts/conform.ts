/**
 * `npm run conform [-- --engine VERSION] [--only WORD]`: hundreds of requests over bare sockets, direct and through
 * the services, and every byte compared. The exit code is 1 where anything differs that may not.
 */
import { parseArgs } from 'node:util';
import { differencesIn, partText } from './conform/report.js';
import { runConform } from './conform/run-conform.js';
import { startEngine } from './engine/engine.js';
import { DEFAULT_ENGINE, ENGINES, type EngineVersion } from './engine/engine-table.js';
import { abortedBy, runMain, say } from './program.js';

const USAGE = `Usage: npm run conform -- [--engine ${Object.keys(ENGINES).join('|')}] [--only WORD]
  --engine  the engine to start; with OPENSEARCH_URL set, the engine there is used instead
  --only    families of requests whose name contains the word`;

const stopping = abortedBy('SIGINT', 'SIGTERM');

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { engine: { type: 'string' }, only: { type: 'string' } },
  });
  const version = values.engine ?? DEFAULT_ENGINE;
  if (!Object.hasOwn(ENGINES, version)) {
    process.stderr.write(`There is no recipe for engine "${version}".\n${USAGE}\n`);
    return 2;
  }
  const given = process.env['OPENSEARCH_URL'];
  const engine =
    given === undefined || given === ''
      ? await startEngine({
          version: version as EngineVersion,
          heap: '1g',
          signal: stopping,
          onProgress: say,
        })
      : undefined;
  try {
    const url = new URL(engine?.url ?? given ?? '');
    say(`Comparing ${engine?.title ?? url.host} direct and through the services ...`);
    const parts = await runConform({
      engine: url,
      signal: stopping,
      ...(values.only === undefined ? {} : { only: values.only }),
      onPart: (part) => say(partText(part)),
    });
    const differing = differencesIn(parts);
    const requests = parts.flatMap((part) => part.families).reduce((sum, family) => sum + family.requests, 0);
    say(`${requests} requests, ${differing} with differences`);
    return differing === 0 && requests > 0 ? 0 : 1;
  } finally {
    await engine?.stop();
  }
}

await runMain(main, { stopping });
