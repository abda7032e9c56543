import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * The direction of imports: a folder may import itself, the folders named here, and nothing else of src/.
 * languages, text, numbers and json are files that import nothing; the last three are for everyone.
 * What ships is in src/ and knows nothing of lab/, where what measures lies; that may import all of src/.
 */
const layers = {
  plot: [],
  model: [],
  adopt: ['model'],
  thought: ['model'],
  memory: ['model'],
  syntax: ['languages'],
  scopes: ['languages'],
  edits: ['scopes'],
  workspace: ['languages'],
  completion: ['thought', 'memory', 'syntax', 'model'],
  inference: ['completion', 'thought', 'memory', 'syntax', 'model', 'workspace', 'edits'],
  endpoint: ['api', 'completion', 'model'],
  server: ['api', 'endpoint', 'inference', 'syntax', 'protocol', 'workspace', 'scopes', 'edits', 'languages'],
  extension: ['protocol', 'plot', 'adopt'],
  api: [],
  serve: ['api', 'completion', 'thought', 'model'],
  cli: ['adopt', 'completion', 'model', 'serve'],
};

/** Packages that only some layers may know. */
const packages = {
  vscode: ['extension'],
  'vscode-languageclient': ['extension'],
  'vscode-languageserver': ['server'],
  'onnxruntime-node': ['model'],
  'onnxruntime-web': ['model'],
  '@huggingface/tokenizers': ['model'],
  '@vscode/tree-sitter-wasm': ['syntax'],
  'vscode-textmate': ['scopes'],
  'vscode-oniguruma': ['scopes'],
  ignore: ['workspace'],
  yauzl: ['adopt'],
  protobufjs: ['adopt'],
};

const direction = Object.entries(layers).map(([layer, allowed]) => {
  const others = [...Object.keys(layers), 'protocol', 'languages'].filter(
    (other) => other !== layer && !allowed.includes(other),
  );
  const foreign = Object.keys(packages).filter((name) => !packages[name].includes(layer));
  return {
    files: [`src/${layer}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: `^(\\.\\./)+(${[...others, 'lab'].join('|')})(/|$)`,
              message: `src/${layer} may import only: ${[layer, ...allowed].join(', ')}.`,
            },
            {
              regex: `^(${foreign.join('|')})(/|$)`,
              message: `src/${layer} must not know this package.`,
            },
          ],
        },
      ],
    },
  };
});

export default tseslint.config(
  // kernel/ is AssemblyScript, which its compiler checks.
  { ignores: ['dist/', 'kernel/', 'node_modules/', 'models/', 'train/', '.cache/', '.vscode-test/', 'test/fixtures/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      // node:test's `test()` and `describe()` return promises that the runner itself awaits.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', name: ['test', 'describe', 'it', 'suite'], package: 'node:test' },
          ],
        },
      ],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  { files: ['src/cli/**/*.ts', 'lab/**/*.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['src/**/*.ts', 'lab/**/*.ts', 'scripts/**/*.ts'],
    rules: { 'max-lines-per-function': ['error', { max: 75, skipBlankLines: true, skipComments: true }] },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        fetch: 'readonly',
      },
    },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      globals: { process: 'readonly', setInterval: 'readonly', setTimeout: 'readonly', __dirname: 'readonly' },
    },
  },
  ...direction,
);
