// The rules of who may import whom (the house in one file). Pure: files in, sentences about broken rules out.
// tools/check-imports.ts reads the disk; tools/import-rules.test.ts proves that each rule catches its offence.
import ts from 'typescript'
import type { Package } from './workspace.js'

export interface SourceFile {
  /** Path from the root with forward slashes: `packages/llama/src/model.ts`. */
  path: string
  text: string
}

interface Import {
  target: string
  typeOnly: boolean
  reExport: boolean
}

/** The arrows of the house: what each package may bring of ours. Apps, the CLI and tools compose what they like. */
const arrows: Record<string, readonly string[]> = {
  '@cria/tensor': [],
  '@cria/tokenizer': [],
  '@cria/sampling': [],
  '@cria/world': [],
  '@cria/storyteller': [],
  '@cria/weights': ['@cria/tensor'],
  '@cria/llama': ['@cria/tensor', '@cria/weights'],
  '@cria/eval': ['@cria/tensor', '@cria/llama'],
  '@cria/conformance': ['@cria/tensor'],
  '@cria/train': ['@cria/tensor', '@cria/weights', '@cria/tokenizer'],
}
/** Arrows that only some files of a package may use: by entry, so that the rest runs without what lies there. */
const narrow: readonly { readonly from: string; readonly to: string; readonly within: RegExp; readonly why: string }[] =
  [
    {
      from: '@cria/train',
      to: '@cria/tokenizer',
      within: /^packages\/train\/src\/node[./]/,
      why: 'only its node entry tokenises',
    },
  ]
const backend = /^@cria\/kernels-[^/]+/

/** Whether `from` may name `to`. A backend stands on the contract alone; a package without arrows names no backend. */
function mayName(from: string, to: string): boolean {
  if (backend.test(from)) return to === '@cria/tensor' || to.startsWith(`${from}-`)
  return arrows[from]?.includes(to) ?? (!from.startsWith('@cria/') || !backend.test(to))
}

/** Tests, benchmarks and fixtures may use what the package itself may not. */
const aside = /\.(test|bench)\.ts$|^[^/]+\/[^/]+\/(test|bench|scripts|examples)\//

function importsOf({ path, text }: SourceFile): Import[] {
  const found: Import[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const clause = node.importClause
      const named = clause?.namedBindings
      const everyTyped =
        named !== undefined &&
        ts.isNamedImports(named) &&
        !clause?.name &&
        named.elements.every(element => element.isTypeOnly)
      const typeOnly = clause !== undefined && (clause.phaseModifier === ts.SyntaxKind.TypeKeyword || everyTyped)
      found.push({ target: node.moduleSpecifier.text, typeOnly, reExport: false })
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      found.push({ target: node.moduleSpecifier.text, typeOnly: node.isTypeOnly, reExport: true })
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      // A dynamic import runs later, so it is no circle at load time; it counts for packages and not for files.
      const [target] = node.arguments
      if (target && ts.isStringLiteralLike(target)) found.push({ target: target.text, typeOnly: true, reExport: false })
    } else if (
      ts.isImportTypeNode(node) &&
      ts.isLiteralTypeNode(node.argument) &&
      ts.isStringLiteral(node.argument.literal)
    ) {
      found.push({ target: node.argument.literal.text, typeOnly: true, reExport: false })
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest))
  return found
}

/** The circles of a graph: every strongly connected part, first node repeated at the end. */
function circles(graph: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const parts: string[][] = []
  const enter = (node: string): void => {
    index.set(node, index.size)
    low.set(node, index.get(node)!)
    stack.push(node)
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) enter(next)
      if (stack.includes(next)) low.set(node, Math.min(low.get(node)!, low.get(next)!))
    }
    if (low.get(node) === index.get(node)) parts.push(stack.splice(stack.indexOf(node)))
  }
  for (const node of graph.keys()) if (!index.has(node)) enter(node)
  return parts.filter(part => part.length > 1 || graph.get(part[0]!)?.has(part[0]!)).map(part => [...part, part[0]!])
}

function resolve(from: string, target: string, known: ReadonlySet<string>): string | undefined {
  const parts = from.split('/').slice(0, -1)
  for (const step of target.split('/')) {
    if (step === '..') parts.pop()
    else if (step !== '.') parts.push(step)
  }
  const path = parts.join('/')
  return [path, path.replace(/\.js$/, '.ts'), `${path}.ts`, `${path}/index.ts`].find(candidate => known.has(candidate))
}

const packageName = (target: string): string =>
  target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : target.split('/')[0]!

function link(graph: Map<string, Set<string>>, from: string, to: string): void {
  if (!graph.has(from)) graph.set(from, new Set())
  if (from !== to) graph.get(from)!.add(to)
}

/** What counts as one folder: a file directly in src/ stands for itself, any other for the folder below src/. */
const unit = (path: string): string => path.split('/').slice(0, 4).join('/')
const isFile = (unit: string): boolean => /\.[a-z]+$/.test(unit)

/** Every broken rule, as one sentence each; empty when all is well. */
export function findings(packages: readonly Package[], sources: readonly SourceFile[]): string[] {
  const out: string[] = []
  const byFolder = new Map(packages.map(entry => [entry.folder, entry]))
  const ours = new Map(packages.map(entry => [entry.manifest.name, entry]))
  const known = new Set(sources.map(({ path }) => path))
  const fileGraph = new Map<string, Set<string>>()
  const folderGraph = new Map<string, Set<string>>()
  const packageGraph = new Map<string, Set<string>>()

  for (const { manifest } of packages) {
    const { name, dependencies, peerDependencies, optionalDependencies, devDependencies } = manifest
    const shipped = Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies }).filter(key =>
      ours.has(key),
    )
    for (const key of [...shipped, ...Object.keys(devDependencies ?? {}).filter(key => ours.has(key))])
      link(packageGraph, name, key)
    for (const key of shipped)
      if (!mayName(name, key)) out.push(`${name} depends on ${key}; no arrow of the house goes there`)
  }

  for (const source of sources) {
    const owner = byFolder.get(source.path.split('/').slice(0, 2).join('/'))
    const testing = aside.test(source.path)
    for (const { target, typeOnly, reExport } of importsOf(source)) {
      if (target.startsWith('.')) {
        const to = resolve(source.path, target, known)
        if (!to) continue
        const inside = (path: string): string => path.split('/').slice(0, 2).join('/')
        if (owner && inside(to) !== owner.folder && inside(to).startsWith('packages/'))
          out.push(`${source.path} reaches into ${to}; import the package by its name`)
        if (!typeOnly) link(fileGraph, source.path, to)
        // Files may know each other's types; folders may not.
        const loose = typeOnly && (isFile(unit(source.path)) || isFile(unit(to)))
        if (!testing && !loose) link(folderGraph, unit(source.path), unit(to))
        continue
      }
      const name = packageName(target)
      if (!owner || target.startsWith('node:') || name === owner.manifest.name) continue
      const { dependencies, peerDependencies, optionalDependencies, devDependencies } = owner.manifest
      const runtime = { ...dependencies, ...peerDependencies, ...optionalDependencies }
      if (ours.has(name)) {
        link(packageGraph, owner.manifest.name, name)
        if (reExport) out.push(`${source.path} re-exports ${target}; its users import that package themselves`)
        if (!(name in runtime || (testing && name in (devDependencies ?? {}))))
          out.push(
            `${source.path} imports ${name}, which ${owner.folder}/package.json does not list${testing ? '' : ' in dependencies'}`,
          )
        const narrowed = narrow.find(rule => rule.from === owner.manifest.name && rule.to === name)
        if (!testing && narrowed && !narrowed.within.test(source.path))
          out.push(`${source.path} imports ${name}; ${narrowed.why}`)
        if (!testing && !mayName(owner.manifest.name, name))
          out.push(`${source.path} imports ${name}; no arrow of the house goes there`)
      } else if (!testing && source.path.startsWith('packages/') && source.path.includes('/src/')) {
        // Types of a foreign package are erased from what we publish only when nothing we export shows them.
        if (!(name in runtime || (typeOnly && name in (devDependencies ?? {}))))
          out.push(`${source.path} imports ${name}, which ${owner.folder}/package.json does not list in dependencies`)
      }
    }
  }
  for (const circle of circles(fileGraph)) out.push(`circle of files: ${circle.join(' → ')}`)
  for (const circle of circles(packageGraph)) out.push(`circle of packages: ${circle.join(' → ')}`)
  // A folder and the file beside it that fronts for it are one thing; two folders are not.
  for (const circle of circles(folderGraph))
    if (new Set(circle.filter(unit => !isFile(unit))).size > 1) out.push(`circle of folders: ${circle.join(' → ')}`)
  return out
}
