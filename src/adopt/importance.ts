import { dequantize } from './dequantize';
import { openGguf, type Gguf } from './gguf';

/**
 * What an error in a column of a matrix costs: the mean square of what the column is multiplied with, measured once on
 * code. It makes 4 bits lose less, and belongs to one model, in whatever quantisation its weights come.
 */
export interface Importance {
  /** By column of a matrix, float32; undefined where nothing is known. */
  of(tensor: string): Float32Array | undefined;
}

/** What is measured together: matrices that read the same. */
const INPUTS: Readonly<Record<string, string>> = {
  attn_q: 'attn_qkv',
  attn_k: 'attn_qkv',
  attn_v: 'attn_qkv',
  attn_output: 'attn_output',
  ffn_gate: 'ffn_gate_up',
  ffn_up: 'ffn_gate_up',
  ffn_down: 'ffn_down',
  output: 'output',
  token_embd: 'output',
};

/** By which a model is known again: it stays float32 whatever the matrices become. */
const FINGERPRINT = 'output_norm.weight';

/**
 * Reads a file of importances: a GGUF with a vector for what each matrix reads (`blk.0.ffn_down`), and a copy of the
 * model's last norm.
 * @returns undefined if it was measured on another model
 * @throws UserError in one line
 */
export async function readImportance(path: string, model: Gguf): Promise<Importance | undefined> {
  const file = await openGguf(path);
  try {
    const [own, its] = [file.tensors.get(FINGERPRINT), model.tensors.get(FINGERPRINT)];
    if (own === undefined || its === undefined || own.bytes !== its.bytes) return undefined;
    if (Buffer.compare(await file.read(own), await model.read(its)) !== 0) return undefined;
    const vectors = new Map<string, Float32Array>();
    for (const tensor of file.tensors.values()) {
      vectors.set(tensor.name, dequantize(tensor.type, await file.read(tensor)));
    }
    return { of: (tensor) => vectors.get(inputOf(tensor)) };
  } finally {
    await file.close();
  }
}

/** The name of what a matrix reads: `blk.3.attn_k.weight` reads `blk.3.attn_qkv`. */
function inputOf(tensor: string): string {
  const name = tensor.replace(/\.weight$/, '');
  const from = name.lastIndexOf('.') + 1;
  return name.slice(0, from) + (INPUTS[name.slice(from)] ?? name.slice(from));
}
