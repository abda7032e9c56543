/**
 * How a text with a gap is written into one prompt, by family of models: servers of the completions API that know no
 * `suffix` are asked so, and clients that write the markers themselves ask us so.
 */
export interface Infill {
  readonly prefix: string;
  readonly suffix: string;
}

/** Markers before the prefix, before the suffix, and before what is to be written. */
type Markers = readonly [prefix: string, suffix: string, middle: string];

const FAMILIES: readonly { readonly models: RegExp; readonly markers: Markers }[] = [
  { models: /qwen|codegemma/i, markers: ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>'] },
  { models: /starcoder|granite|santacoder/i, markers: ['<fim_prefix>', '<fim_suffix>', '<fim_middle>'] },
  { models: /deepseek/i, markers: ['<｜fim▁begin｜>', '<｜fim▁hole｜>', '<｜fim▁end｜>'] },
  { models: /code-?llama/i, markers: ['<PRE> ', ' <SUF>', ' <MID>'] },
];

/** The prompt in which a model of this name fills gaps; undefined where its family is not known. */
export function formatInfill(model: string, { prefix, suffix }: Infill): string | undefined {
  const markers = FAMILIES.find(({ models }) => models.test(model))?.markers;
  return markers && `${markers[0]}${prefix}${markers[1]}${suffix}${markers[2]}`;
}

/** The text of a prompt that has the markers of any family around it; undefined for one without them. */
export function parseInfill(prompt: string): Infill | undefined {
  for (const { markers } of FAMILIES) {
    const [first, second, third] = markers;
    if (!prompt.startsWith(first) || !prompt.endsWith(third)) continue;
    const text = prompt.slice(first.length, prompt.length - third.length);
    const at = text.indexOf(second);
    if (at >= 0) return { prefix: text.slice(0, at), suffix: text.slice(at + second.length) };
  }
  return undefined;
}
