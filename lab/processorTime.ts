/**
 * Begins to measure processor time of this process, which a busy machine does not stretch as it does time by the clock.
 * @returns milliseconds since then
 */
export function processorTime(): () => number {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
}
