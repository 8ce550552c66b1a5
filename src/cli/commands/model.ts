/** `twinrank model …`: what can be done with model bundles. One file for each action is in model/. */
import type { CommandGroup } from '../command.js';
import { modelBenchCommand } from './model/bench.js';
import { modelInspectCommand } from './model/inspect.js';
import { modelListCommand } from './model/list.js';
import { modelPullCommand } from './model/pull.js';
import { modelVerifyCommand } from './model/verify.js';

export const modelGroup: CommandGroup = {
  name: 'model',
  summary: 'Fetch model bundles, look at them, prove them, measure them.',
  addCommands: (add) => {
    add(modelInspectCommand);
    add(modelVerifyCommand);
    add(modelListCommand);
    add(modelPullCommand);
    add(modelBenchCommand);
  },
};
