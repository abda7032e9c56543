/** What an execution provider is to us. */
interface ExecutionProvider {
  /** Its name in ONNX Runtime's profiles. */
  readonly profile: string;
  /** Platforms on which `auto` tries it: those for which ONNX Runtime's npm package is built with it. */
  readonly automatic: readonly NodeJS.Platform[];
  /** A library that it needs on Linux: where it is looked for, and what is said where it is not there. */
  readonly library?: { readonly name: string; readonly from: 'runtime' | 'system'; readonly missing: string };
}

/** A row is an execution provider of ONNX Runtime, by the name that its binding gives it. `auto` tries the last one first. */
export const PROVIDERS = {
  cpu: { profile: 'CPUExecutionProvider', automatic: [] },
  webgpu: {
    profile: 'WebGpuExecutionProvider',
    automatic: ['linux', 'win32', 'darwin'],
    library: { name: 'libvulkan.so.1', from: 'system', missing: 'Vulkan (libvulkan.so.1) is not installed' },
  },
  cuda: {
    profile: 'CUDAExecutionProvider',
    automatic: ['linux'],
    library: {
      name: 'libonnxruntime_providers_cuda.so',
      from: 'runtime',
      missing: 'ONNX Runtime’s CUDA library is not installed',
    },
  },
  dml: { profile: 'DmlExecutionProvider', automatic: ['win32'] },
  coreml: { profile: 'CoreMLExecutionProvider', automatic: ['darwin'] },
} as const satisfies Record<string, ExecutionProvider>;

export type Provider = keyof typeof PROVIDERS;

/** The row of a provider. */
export const providerOf = (name: Provider): ExecutionProvider => PROVIDERS[name];

export const PROVIDER_NAMES = Object.keys(PROVIDERS) as Provider[];

/** What `thoughtline.device` and `--device` can be. */
export const DEVICES: readonly ('auto' | Provider)[] = ['auto', ...PROVIDER_NAMES];
