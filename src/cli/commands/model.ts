/** `twinrank model …`: what can be done with model bundles. One file for each action is in model/. */
import type { CommandGroup } from '../command.js';
import { modelPullCommand } from './model/pull.js';

export const modelGroup: CommandGroup = {
  name: 'model',
  summary: 'Fetch model bundles.',
  addCommands: (add) => {
    add(modelPullCommand);
  },
};
