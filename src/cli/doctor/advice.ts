/** How commands that are advised are written. */
import type { IndexSettings } from '../../search-engine/mapping-meta.js';

/** What commands that are advised begin with. */
export interface Advice {
  /** Address of the engine without credentials. */
  readonly to: string;
  /** Folder of the bundle where it is not the default one. */
  readonly model: string | undefined;
}

export function textFlags({ textFields }: IndexSettings): string {
  return textFields.map((field) => ` --text ${field}`).join('');
}

export function modelFlag({ model }: Advice): string {
  return model === undefined ? '' : ` --model ${model}`;
}
