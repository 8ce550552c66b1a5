/** `twinrank model verify [BUNDLE]`: proves a bundle, one verdict a line. */
import type { Bundle } from '../../../model/bundle.js';
import { defaultBundleFolder } from '../../../model/default-bundle.js';
import { checkBundle } from '../../../model/bundle-checks.js';
import { withPrecision } from '../../../model/precision.js';
import type { Command } from '../../command.js';
import { prepared, STARTED_BUNDLE_OPTIONS } from '../../model-options.js';

export const modelVerifyCommand: Command<typeof STARTED_BUNDLE_OPTIONS> = {
  usage: 'verify [bundle]',
  summary: 'Prove a bundle: file hashes, golden examples, vectors that do not depend on their batch.',
  options: STARTED_BUNDLE_OPTIONS,
  run: async (values, [given], io) => {
    const folder = given ?? values.model ?? defaultBundleFolder();
    let failed = 0;
    const prepare = (bundle: Bundle): Promise<Bundle> => prepared(withPrecision(bundle, values.precision));
    for await (const check of checkBundle(folder, io.signal, prepare)) {
      if (!check.ok) failed++;
      const { name, ok, detail } = check;
      io.stdout.write(
        values.json
          ? `${JSON.stringify(check)}\n`
          : `${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(16)} ${detail}\n`,
      );
    }
    if (!values.json)
      io.stdout.write(failed === 0 ? 'The bundle is good.\n' : 'The bundle is not to be used.\n');
    return failed === 0 ? 0 : 1;
  },
};
