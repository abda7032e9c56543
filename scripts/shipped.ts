/**
 * What the extension ships of others, from what esbuild really put into its programs: checked by licence, and written to
 * dist/ as THIRD-PARTY-NOTICES.txt and sbom.cdx.json (CycloneDX), which scripts/package.ts packs.
 *   node esbuild.mjs && node --import=tsx scripts/shipped.ts
 * For the package of one platform, where THOUGHTLINE_TARGET names it; else for all of them together.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { readDescription } from '../src/adopt/sources/description';
import { NATIVE_PLATFORMS } from '../src/model/platform';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Programs of the VSIX; the command line is not among them. */
export const programs = ['extension', 'client', 'server', 'inference', 'endpoint', 'adopt'];

/** A collection of grammars, each of its own authors, of which esbuild.mjs copies some into dist/textmate. */
const TEXTMATE = 'node_modules/tm-grammars';

/** Licences of grammars that the collection does not tell, though their texts are in its notice. */
const grammarLicences: Readonly<Record<string, string>> = { elixir: 'Apache-2.0' };

/** The grammars of the collection that ship: their names, and the licences of all of them together. */
function textMateGrammars(): { names: string[]; licence: string } {
  const { textMate } = readMetafile();
  const licences = textMate.map(({ name, licence }) => grammarLicences[name] ?? licence ?? `none (${name})`);
  return { names: textMate.map(({ name }) => name), licence: [...new Set(['MIT', ...licences])].sort().join(' AND ') };
}

/** Packages that are packed as files, next to the programs, for a platform; without one for any. */
function packedAsFiles(target: string | undefined): string[] {
  const native = NATIVE_PLATFORMS.some((one) => one === target);
  const builds = target === undefined ? ['node', 'web'] : [native ? 'node' : 'web'];
  return [...[...builds, 'common'].map((name) => `node_modules/onnxruntime-${name}`), TEXTMATE];
}

/** Licences under which everything that ships must be available: all of them ask for no more than their text. */
const allowed = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'CC0-1.0',
]);

/** Copyright of packages under the MIT licence that come without its text. */
const holders: Readonly<Record<string, string>> = {
  'onnxruntime-node': 'Copyright (c) Microsoft Corporation. All rights reserved.',
  'onnxruntime-web': 'Copyright (c) Microsoft Corporation. All rights reserved.',
  'onnxruntime-common': 'Copyright (c) Microsoft Corporation. All rights reserved.',
};

export interface ShippedPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression, as its package.json has it; empty where that has none. */
  readonly licence: string;
  /** Its folder in the repository, with slashes. */
  readonly folder: string;
  /** Programs that it lies in; none for what is packed as files. */
  readonly programs: readonly string[];
}

/** Parts of esbuild's metafile, and what esbuild.mjs adds to it. */
interface Metafile {
  outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }>;
  /** Grammars in dist/textmate. */
  textMate: { name: string; licence?: string }[];
}

function readMetafile(): Metafile {
  return JSON.parse(readFileSync(join(root, 'dist/meta.json'), 'utf8')) as Metafile;
}

/** Everything of others that ships for a platform, by name and version; without one, for any. */
export function shippedPackages(metafile: Metafile, target?: string): ShippedPackage[] {
  const found = new Map<string, Set<string>>(packedAsFiles(target).map((folder) => [folder, new Set()]));
  for (const program of programs) {
    const output = metafile.outputs[`dist/${program}.js`];
    if (output === undefined) throw new Error(`dist/${program}.js is not in dist/meta.json: run node esbuild.mjs`);
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
      const folder = bytesInOutput > 0 ? packageFolder(path) : undefined;
      if (folder !== undefined) found.set(folder, (found.get(folder) ?? new Set()).add(program));
    }
  }
  return [...found]
    .map(([folder, within]) => describePackage(folder, [...within].sort()))
    .sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
}

/** Folder of the package that a path lies in: the innermost. */
export function packageFolder(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0];
}

function describePackage(folder: string, within: string[]): ShippedPackage {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Record<string, unknown>;
  const { name, version, license } = manifest;
  return {
    name: String(name),
    version: String(version),
    licence: folder === TEXTMATE ? textMateGrammars().licence : typeof license === 'string' ? license : '',
    folder,
    programs: within,
  };
}

/** Whether an SPDX expression leaves a choice of allowed licences. */
export function isPermissive(licence: string): boolean {
  const choices = licence.replace(/^\((.*)\)$/, '$1').split(' OR ');
  return choices.some((choice) => choice.split(' AND ').every((one) => allowed.has(one.replace(/^\((.*)\)$/, '$1'))));
}

/** The texts that the licences ask for. @throws Error naming a package without one */
export function notices(packages: readonly ShippedPackage[]): string {
  return [
    'Thoughtline contains the following software of others.\n',
    ...packages.map((one) => `${heading(`${one.name} ${one.version} (${one.licence})`)}\n${licenceText(one)}\n`),
    ...packages.flatMap(({ name, version }) => builtNotice(name, version)),
    modelNotice(),
  ].join('\n');
}

/** What a package of ONNX Runtime holds besides its own code. */
function builtNotice(name: string, version: string): string[] {
  const built = (what: string) => `${what} built by Microsoft. Its components and their licences
are listed in https://github.com/microsoft/onnxruntime/blob/v${version}/ThirdPartyNotices.txt.
`;
  if (name === 'onnxruntime-web') {
    return [
      heading(`WebAssembly module of ONNX Runtime ${version}`),
      built('The module in node_modules/onnxruntime-web/dist was'),
    ];
  }
  if (name !== 'onnxruntime-node') return [];
  return [
    heading(`Native libraries of ONNX Runtime ${version}`),
    `${built('The library in node_modules/onnxruntime-node/bin was')}On Windows DirectML.dll, dxil.dll and dxcompiler.dll lie next to it: redistributable parts of Microsoft's DirectML and
DirectX Shader Compiler under Microsoft's licence terms, the last one under LLVM's licence.
`,
  ];
}

/** The model that a user can get: it is not in the package, but where it is from and what may be done with it is known. */
function modelNotice(): string {
  const { title, licence, page } = coder();
  const text = readFileSync(join(root, 'models', licence.text), 'utf8').trim();
  return `${heading(`${title}, a model that you can get and that is not in this package`)}
${licence.copyright}
${page}

${licence.notice}

${text}
`;
}

function coder() {
  return readDescription(join(root, 'models', 'coder.json'));
}

function heading(text: string): string {
  return `${'='.repeat(100)}\n${text}\n${'='.repeat(100)}\n`;
}

function licenceText({ name, licence, folder }: ShippedPackage): string {
  if (folder === TEXTMATE) return textMateNotice();
  const found = readdirSync(join(root, folder)).filter((file) =>
    /^(licen[cs]e|copying|notice|thirdpartynotices)/i.test(file),
  );
  if (found.length > 0)
    return found
      .sort()
      .map((file) => readFileSync(join(root, folder, file), 'utf8').trim())
      .join('\n\n');
  const holder = holders[name];
  if (holder === undefined || licence !== 'MIT') {
    throw new Error(`${folder}: no licence text; name the holder of its copyright in scripts/shipped.ts`);
  }
  const own = readFileSync(join(root, 'LICENSE'), 'utf8').trim();
  return own.replace(/^Copyright .*$/m, holder);
}

/** What the collection's notice, made of one section for the files of each author, says of those that ship. */
function textMateNotice(): string {
  const { names } = textMateGrammars();
  const unnamed = new Set(names);
  const read = (file: string) => readFileSync(join(root, TEXTMATE, file), 'utf8').trim();
  const sections = read('NOTICE')
    .split(/^={20,}$/m)
    .flatMap((section) => {
      const files = /^Files: *(.*)$/m.exec(section)?.[1]?.split(', ') ?? [];
      const shipped = files.filter((file) => names.includes(file.replace(/\.json$/, '')));
      for (const file of shipped) unnamed.delete(file.replace(/\.json$/, ''));
      return shipped.length > 0 ? section.replace(/^Files:.*$/m, `Files: ${shipped.join(', ')}`).trim() : [];
    });
  if (unnamed.size > 0) throw new Error(`${TEXTMATE}/NOTICE has no licence of ${[...unnamed].join(', ')}`);
  return [read('LICENSE'), ...sections].join(`\n\n${'-'.repeat(100)}\n\n`);
}

/** A CycloneDX bill of materials. It has neither a time nor a serial number, so that one commit gives one text. */
export function billOfMaterials(packages: readonly ShippedPackage[], integrity: ReadonlyMap<string, string>): object {
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, string>;
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': `${own['name']}@${own['version']}`,
        name: own['name'],
        version: own['version'],
        licenses: [{ expression: own['license'] }],
      },
    },
    components: [
      ...packages.map(({ name, version, licence, folder }) => ({
        type: 'library',
        // One name may ship in two versions, and one version from two folders.
        'bom-ref': folder,
        name,
        version,
        purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
        licenses: [{ expression: licence }],
        ...hashes(integrity.get(folder)),
      })),
      modelComponent(),
    ],
  };
}

/** The model that a user can get. */
function modelComponent(): object {
  const { title, file, sha256, licence, page } = coder();
  return {
    type: 'machine-learning-model',
    'bom-ref': file,
    scope: 'excluded',
    name: title,
    description: `Not in the package: the user gets it. ${page}`,
    copyright: licence.copyright,
    licenses: [{ expression: licence.spdx }],
    hashes: [{ alg: 'SHA-256', content: sha256 }],
  };
}

function hashes(integrity: string | undefined) {
  const [algorithm, digest] = integrity?.split('-') ?? [];
  if (algorithm !== 'sha512' || digest === undefined) return {};
  return { hashes: [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }] };
}

/** What the lock file knows of each folder in node_modules. */
export function lockedPackages(): Map<string, { integrity?: string; dev?: boolean }> {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { integrity?: string; dev?: boolean }>;
  };
  return new Map(Object.entries(lock.packages));
}

/** What ships of the build in dist/ for a platform; without one, for any. */
export function shippedByBuild(target?: string): ShippedPackage[] {
  return shippedPackages(readMetafile(), target);
}

function main(): void {
  const packages = shippedByBuild(process.env['THOUGHTLINE_TARGET']);
  const refused = packages.filter(({ licence }) => !isPermissive(licence));
  for (const { folder, licence } of refused) {
    process.stderr.write(
      `${folder}: its licence is "${licence}"; what ships must be under one of ${[...allowed].join(', ')}\n`,
    );
  }
  if (refused.length > 0) {
    process.exitCode = 1;
    return;
  }
  const integrity = new Map([...lockedPackages()].map(([folder, { integrity: sum = '' }]) => [folder, sum]));
  writeFileSync(join(root, 'dist/THIRD-PARTY-NOTICES.txt'), notices(packages));
  writeFileSync(join(root, 'dist/sbom.cdx.json'), `${JSON.stringify(billOfMaterials(packages, integrity), null, 1)}\n`);
  for (const { name, version, licence, programs: within } of packages) {
    process.stdout.write(
      `${`${name} ${version}`.padEnd(46)} ${licence.padEnd(14)} ${within.join(', ') || 'as files'}\n`,
    );
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main();
