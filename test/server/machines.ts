/**
 * Machines without a native library of ONNX Runtime: what a process would find there, told to it before its program
 * runs (`node --import`).
 */
const DARWIN_X64 = `
  Object.defineProperty(process, 'platform', { value: 'darwin' });
  Object.defineProperty(process, 'arch', { value: 'x64' });`;

const ALPINE = `
  Object.defineProperty(process, 'platform', { value: 'linux' });
  process.report.getReport = () => ({ header: {} });
  process.dlopen = () => { throw new Error('Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by libonnxruntime.so.1)'); };`;

const FREEBSD = `Object.defineProperty(process, 'platform', { value: 'freebsd' });`;

const OTHER_PACKAGE = `
  Object.defineProperty(process, 'platform', { value: 'linux' });
  process.report.getReport = () => ({ header: { glibcVersionRuntime: '2.31' } });
  process.dlopen = () => { throw new Error('libonnxruntime.so.1: cannot open shared object file: No such file or directory'); };`;

/** A package that holds no WebAssembly build either. */
const NO_WASM = `
  import { register } from 'node:module';
  const hooks = 'export const resolve = (name, context, next) => { if (name === "onnxruntime-web") throw new Error("not there"); return next(name, context); }';
  register('data:text/javascript,' + encodeURIComponent(hooks));`;

export const machines = {
  darwin: DARWIN_X64,
  alpine: ALPINE,
  freebsd: FREEBSD,
  otherPackage: OTHER_PACKAGE,
  noWasm: NO_WASM,
};

/** What makes every process that is started believe to be on such a machine. @param hooks of other modules, as URLs */
export function pretending(
  parts: readonly (keyof typeof machines)[],
  hooks: readonly string[] = [],
): NodeJS.ProcessEnv {
  const told = parts.map((part) => `data:text/javascript,${encodeURIComponent(machines[part])}`);
  return { NODE_OPTIONS: [...hooks, ...told].map((hook) => `--import=${hook}`).join(' ') };
}
