/** Platforms for which ONNX Runtime's package holds a library. */
export const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64', 'win32-arm64'] as const;

/** How musl's loader begins where a library was built for glibc; glibc's own says it in other words. */
const MUSL = /Error (loading shared library|relocating)/;

/**
 * Why ONNX Runtime's library did not load, and what to do, in one line.
 * @param platform that of Node.js, a hyphen, its processor architecture
 * @param message what was thrown
 */
export function whyNotLoaded(platform: string, message: string): string {
  const others = `${PLATFORMS.slice(0, -1).join(', ')} and ${PLATFORMS.at(-1)}`;
  if (platform.startsWith('linux-') && MUSL.test(message)) {
    return 'ONNX Runtime has no library for Alpine Linux and other systems on musl; open the project on a host or in a container with glibc (Debian, Ubuntu, Fedora)';
  }
  if (platform === 'darwin-x64') {
    return `ONNX Runtime has no library for Macs with Intel processors; Thoughtline runs on ${others}, also as a remote host of this Mac`;
  }
  if (!PLATFORMS.some((one) => one === platform)) {
    return `ONNX Runtime has no library for ${platform}; Thoughtline runs on ${others}`;
  }
  return `ONNX Runtime's library does not load on ${platform} (${message}); install the build of Thoughtline for this platform`;
}
