/**
 * Known vulnerabilities of what ships: fails on one of severity high or critical in a production dependency or in a
 * package that esbuild put into a program. Those of other tools are counted.
 *   node esbuild.mjs && node --import=tsx scripts/audit.ts
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { lockedPackages, shippedByBuild } from './shipped';

/** Parts of what `npm audit --json` prints. */
export interface AuditReport {
  vulnerabilities?: Record<string, { name: string; severity: string; nodes: string[] }>;
}

/**
 * Divides findings by whether they reach users.
 * @param ships whether the package in a folder of node_modules does
 */
export function assess(report: AuditReport, ships: (folder: string) => boolean): { failing: string[]; others: number } {
  const findings = Object.values(report.vulnerabilities ?? {});
  const failing = findings.filter(
    ({ severity, nodes }) => (severity === 'high' || severity === 'critical') && nodes.some(ships),
  );
  return {
    failing: failing.map(({ name, severity, nodes }) => `${name}: ${severity}, in ${nodes.filter(ships).join(', ')}`),
    others: findings.length - failing.length,
  };
}

/** What npm printed; undefined where it is no report: the registry did not answer, or has none. */
export function readReport(output: string): AuditReport | undefined {
  try {
    const report = JSON.parse(output) as AuditReport | null;
    return report?.vulnerabilities === undefined ? undefined : report;
  } catch {
    return undefined;
  }
}

function main(): void {
  const { stdout, stderr } = spawnSync('npm', ['audit', '--json'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  const report = readReport(stdout);
  if (report === undefined) {
    const [reason] = /\b\d{3} [A-Z][a-z]+(?: [A-Z][a-z]+)*|E[A-Z]{5,}|ENETUNREACH/.exec(stdout + stderr) ?? [
      'no answer',
    ];
    process.stdout.write(`not checked: the package registry gives no advisories here (${reason})\n`);
    return;
  }
  const shipped = new Set(shippedByBuild().map(({ folder }) => folder));
  const locked = lockedPackages();
  const { failing, others } = assess(report, (folder) => shipped.has(folder) || locked.get(folder)?.dev !== true);
  for (const line of failing) process.stderr.write(`${line}\n`);
  process.stdout.write(`${failing.length} of severity high or critical ship, ${others} others\n`);
  if (failing.length > 0) process.exitCode = 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main();
