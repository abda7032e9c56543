/** Platforms for which ONNX Runtime's package holds a library. */
export const NATIVE_PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64', 'win32-arm64'] as const;

/** Platforms of the Marketplace on which its WebAssembly build computes instead. */
export const WASM_PLATFORMS = ['darwin-x64', 'alpine-x64', 'alpine-arm64'] as const;

/** Platforms for which Thoughtline is packed, by the names of the Marketplace. */
export const PLATFORMS = [...NATIVE_PLATFORMS, ...WASM_PLATFORMS] as const;
export type Platform = (typeof PLATFORMS)[number];

/** This machine's platform as the Marketplace would name it: "alpine" is Linux on musl. */
export function ownPlatform(): string {
  return `${process.platform === 'linux' && !usesGlibc() ? 'alpine' : process.platform}-${process.arch}`;
}

/** Libraries for Linux are built for glibc; Node.js reports which version of it, if any, it runs on. */
function usesGlibc(): boolean {
  // Else it would ask for the names of the machines at the other ends of its connections.
  Object.assign(process.report, { excludeNetwork: true });
  const { header } = process.report.getReport() as unknown as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime !== undefined;
}

/**
 * Why ONNX Runtime's library did not load, in one line.
 * @param platform as `ownPlatform` names it
 * @param message what was thrown
 */
export function whyNotLoaded(platform: string, message: string): string {
  if (NATIVE_PLATFORMS.some((one) => one === platform)) {
    return `ONNX Runtime's library does not load on ${platform} (${message})`;
  }
  return `ONNX Runtime has no library for ${nameOf(platform)}`;
}

/** What to do where there is no library, nor the WebAssembly build. */
export function remedyFor(platform: string): string {
  if (PLATFORMS.some((one) => one === platform)) return 'install the build of Thoughtline for this platform';
  return `Thoughtline runs on ${PLATFORMS.slice(0, -1).join(', ')} and ${PLATFORMS.at(-1)}, also as a remote host`;
}

function nameOf(platform: string): string {
  if (platform === 'darwin-x64') return 'Macs with Intel processors';
  return platform.startsWith('alpine-') ? 'Alpine Linux and other systems on musl' : platform;
}
