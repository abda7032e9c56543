import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Whether processes can be looked into as the long runs do: memory and descriptors by /proc. */
export const onLinux = process.platform === 'linux';

/** Resident set size of a process in MB; undefined when it has ended. */
export function residentMb(pid: number): number | undefined {
  return field(pid, 'VmRSS');
}

/** The largest resident set size that a process has had, in MB. */
export function peakMb(pid: number): number | undefined {
  return field(pid, 'VmHWM');
}

function field(pid: number, name: string): number | undefined {
  try {
    const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
}

/** Open file descriptors of a process. */
export function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Limits the address space of a running process to what it has now and `moreMb` on top. */
export function limitMemory(pid: number, moreMb: number): void {
  const size = field(pid, 'VmSize');
  if (size === undefined) return;
  const bytes = Math.round((size + moreMb) * 1024 * 1024);
  execFileSync('prlimit', ['--pid', String(pid), `--as=${bytes}`], { stdio: 'ignore' });
}
