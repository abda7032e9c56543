import type { Thought } from '../../src/completion/engine';
import { RESERVE } from '../../src/completion/window';
import type { Manifest } from '../../src/model/manifest';
import type { QuantisedRows } from '../../src/model/quantisedRows';
import type { Variant } from './variants';

const FLOAT = 4;

/**
 * What a variant keeps in memory for one place in addition to the model's weights, in bytes, by the sizes of what it keeps: states and
 * keys/values of the window, those of each thought and of each text that is written side by side, gradients and states of
 * the evidence, and the evidence as it was read.
 * @param lookup bytes of the lookup memory, which counts where the variant has it
 */
export function footprint(
  { architecture, window, chunk }: Pick<Manifest, 'architecture' | 'window' | 'chunk'>,
  { options }: Pick<Variant, 'options'>,
  thought: Pick<Thought, 'gradients' | 'datastore'>,
  lookup: number,
): number {
  const { width, layers, trunkLayers, kvHeads, headWidth } = architecture;
  const { samples: drawn = 1, alternatives = 0, candidates, memory = false } = options;
  const samples = Math.max(drawn, alternatives);
  const layer = 2 * kvHeads * headWidth;
  const [trunk, top] = [trunkLayers * layer, (layers - trunkLayers) * layer];
  const cached = window.tokens * (width + trunk + samples * top);
  const abreast = (samples > 1 ? samples : 0) + (candidates > 1 ? candidates : 0);
  const branches = abreast * (window.tokens + RESERVE) * (trunk + top);
  const states = thought.gradients.size * chunk.tokens * width;
  const rows = [...[...thought.gradients.values()].map(({ gradient }) => gradient), ...thought.datastore];
  const rounded = rows.reduce((sum, each) => sum + bytesOf(each), 0);
  return (cached + branches + states) * FLOAT + rounded + (memory ? lookup : 0);
}

function bytesOf({ numbers, scales }: QuantisedRows): number {
  return numbers.byteLength + scales.byteLength;
}
