/** References between schema documents: what else a schema needs, and the names under which the parts find each other. */
import type { Schema, SchemaObject } from './schema-merge.js'

/** Places where a value only looks like a schema. */
const DATA: ReadonlySet<string> = /* @__PURE__ */ new Set(['enum', 'const', 'default', 'examples', 'example'])

/** A URI reference seen from a base; names that are no URIs stay as they are. */
function seenFrom(base: string, reference: string): string {
  try {
    return new URL(reference, base).href
  } catch {
    return reference.startsWith('#') ? base + reference : reference
  }
}

/** A copy of a document whose references hold outside of it. */
export function absolute(schema: Schema, base: string): Schema {
  if (typeof schema !== 'object' || schema === null) return schema
  if (Array.isArray(schema)) return schema.map(s => absolute(s as Schema, base)) as unknown as Schema
  const { $id } = schema
  const here = typeof $id === 'string' && !$id.startsWith('#') ? seenFrom(base, $id) : base
  const out: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(schema)) {
    if (key === '$ref' && typeof value === 'string') out[key] = seenFrom(here, value)
    else out[key] = DATA.has(key) ? value : absolute(value as Schema, here)
  }
  return out
}

/** The documents that a schema refers to, as written. */
function documentsOf(schema: unknown, found: Set<string>): Set<string> {
  if (typeof schema !== 'object' || schema === null) return found
  for (const [key, value] of Object.entries(schema)) {
    if (key === '$ref' && typeof value === 'string') {
      const document = value.split('#')[0]!
      if (document !== '') found.add(document)
    } else if (!DATA.has(key)) documentsOf(value, found)
  }
  return found
}

function hasId(node: unknown, id: string): boolean {
  if (typeof node !== 'object' || node === null) return false
  return (node as SchemaObject).$id === id || Object.values(node).some(child => hasId(child, id))
}

/**
 * Fetches the schemas that a schema refers to, and those that these refer to: for `jsonSchema(schema, { schemas })`,
 * which itself never touches network or disk.
 *
 * @param load gives the document at a URI. Everything goes through it: it decides what may be fetched.
 * @param base the URI of the schema itself, against which its relative references are read. Default: its `$id`.
 *
 * @example
 * const schemas = await loadSchemas(schema, uri => fetch(uri).then(response => response.json()))
 * const grammar = jsonSchema(schema, { schemas })
 */
export async function loadSchemas(
  schema: Schema,
  load: (uri: string) => Schema | Promise<Schema>,
  { base }: { base?: string } = {},
): Promise<Record<string, Schema>> {
  const id = typeof schema === 'object' ? schema.$id : undefined
  const root = base ?? (typeof id === 'string' ? id : '')
  const out: Record<string, Schema> = {}
  const byUri = new Map<string, Schema>([[root, schema]])
  const open: [document: Schema, uri: string][] = [[schema, root]]
  for (let next = open.pop(); next; next = open.pop()) {
    const [document, from] = next
    for (const name of documentsOf(document, new Set())) {
      if (hasId(document, name)) continue
      const uri = seenFrom(from, name)
      let target = byUri.get(uri)
      if (target === undefined) {
        target = await load(uri)
        byUri.set(uri, target)
        open.push([absolute(target, uri), uri])
      }
      out[uri] = absolute(target, uri)
      if (document === schema) out[name] = out[uri]
    }
  }
  return out
}

/** The part of a document with this `$id`. */
export function findById(node: unknown, id: string): unknown {
  return search(node, n => n.$id === id || n.id === id)
}

/** The part of a document with this anchor. */
export function findAnchor(node: unknown, name: string): unknown {
  return search(node, n => n.$anchor === name || n.$id === `#${name}`)
}

function search(node: unknown, test: (node: Record<string, unknown>) => boolean): unknown {
  if (typeof node !== 'object' || node === null) return undefined
  if (!Array.isArray(node) && test(node as Record<string, unknown>)) return node
  for (const child of Object.values(node)) {
    const found = search(child, test)
    if (found !== undefined) return found
  }
  return undefined
}
