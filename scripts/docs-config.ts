/** `npm run docs:config`: writes docs/configuration.md from the option tables. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { catalog } from '../src/cli/catalog.js';
import { configurationReference } from './docs/configuration-reference.js';
import { PROJECT_ROOT } from './project-root.js';

const file = join(PROJECT_ROOT, 'docs', 'configuration.md');
await writeFile(file, configurationReference(catalog()));
process.stdout.write(`${file} is written.\n`);
