import { mkdirSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Where these are set ONNX Runtime keeps its telemetry to itself: what is tested here would be true by chance. */
const buildServices = [
  ...['CI', 'CONTINUOUS_INTEGRATION', 'BUILD_NUMBER', 'RUN_ID', 'TF_BUILD', 'GITHUB_ACTIONS', 'GITLAB_CI', 'CIRCLECI'],
  ...['TRAVIS', 'JENKINS_URL', 'CODEBUILD_BUILD_ID', 'BUILDKITE', 'TEAMCITY_VERSION', 'APPVEYOR'],
  ...['BITBUCKET_BUILD_NUMBER', 'ORT_RUNNING_UNIT_TESTS', 'ORT_DISABLE_TELEMETRY', 'ORT_TELEMETRY_DISABLED'],
];

const systemFolders = ['HOME', 'USERPROFILE', 'TMPDIR', 'TEMP', 'TMP', 'APPDATA', 'LOCALAPPDATA'];
const xdgFolders = ['XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME', 'XDG_RUNTIME_DIR'];

/** A user's machine for one process: no build service's, and every place where a program may write unasked below `folder`. */
export function surroundings(folder: string): { environment: NodeJS.ProcessEnv; cwd: string; written: () => string[] } {
  const folders = [...systemFolders, ...xdgFolders].map((name): [string, string] => [name, join(folder, name)]);
  const cwd = join(folder, 'cwd');
  for (const path of [cwd, ...folders.map(([, path]) => path)]) mkdirSync(path, { recursive: true });
  return {
    environment: {
      ...Object.fromEntries(buildServices.map((name) => [name, undefined])),
      ...Object.fromEntries(folders),
    },
    cwd,
    written: () =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
        .sort(),
  };
}
