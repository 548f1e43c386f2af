/** The TypeScript type of what a JSON Schema describes, where it is written as a literal. */

/** A library's schema that carries its types and can say itself as JSON Schema (zod 4, valibot, arktype). */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    validate?(value: unknown): unknown
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
    readonly jsonSchema?: { output(options: { target: string }): Record<string, unknown> } | undefined
  }
}

/** Depth counts down so that recursive schemas end in `unknown`. */
type Less = [never, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

export type FromSchema<S, Root = S, Depth extends number = 9> = [Depth] extends [never]
  ? unknown
  : S extends true
    ? unknown
    : S extends false
      ? never
      : S extends { readonly $ref: infer R }
        ? FromSchema<Resolve<Root, R>, Root, Less[Depth]>
        : S extends { readonly const: infer C }
          ? Mutable<C>
          : S extends { readonly enum: readonly (infer E)[] }
            ? Mutable<E>
            : S extends { readonly allOf: readonly (infer A)[] }
              ? Both<A, Root, Depth> & FromType<S, Root, Depth>
              : S extends { readonly anyOf: readonly (infer A)[] }
                ? FromType<S, Root, Depth> & Each<A, Root, Depth>
                : S extends { readonly oneOf: readonly (infer A)[] }
                  ? FromType<S, Root, Depth> & Each<A, Root, Depth>
                  : FromType<S, Root, Depth>

type Each<A, Root, Depth extends number> = A extends unknown ? FromSchema<A, Root, Less[Depth]> : never
type Both<A, Root, Depth extends number> = (
  A extends unknown
    ? (x: FromSchema<A, Root, Less[Depth]>) => void
    : never
) extends (x: infer I) => void
  ? I
  : never

type Resolve<Root, R> = R extends '#'
  ? Root
  : R extends `#/$defs/${infer Name}`
    ? Root extends { readonly $defs: infer D }
      ? Name extends keyof D
        ? D[Name]
        : unknown
      : unknown
    : R extends `#/definitions/${infer Name}`
      ? Root extends { readonly definitions: infer D }
        ? Name extends keyof D
          ? D[Name]
          : unknown
        : unknown
      : true

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T

type FromType<S, Root, Depth extends number> = S extends { readonly type: readonly (infer T)[] }
  ? T extends string
    ? OfType<T, S, Root, Depth>
    : never
  : S extends { readonly type: infer T }
    ? OfType<T, S, Root, Depth>
    : S extends { readonly properties: unknown }
      ? OfType<'object', S, Root, Depth>
      : unknown

type OfType<T, S, Root, Depth extends number> = T extends 'string'
  ? string
  : T extends 'number' | 'integer'
    ? number
    : T extends 'boolean'
      ? boolean
      : T extends 'null'
        ? null
        : T extends 'array'
          ? OfArray<S, Root, Depth>
          : T extends 'object'
            ? OfObject<S, Root, Depth>
            : unknown

type OfArray<S, Root, Depth extends number> = S extends { readonly prefixItems: infer P }
  ? { -readonly [K in keyof P]: FromSchema<P[K], Root, Less[Depth]> }
  : S extends { readonly items: infer I }
    ? FromSchema<I, Root, Less[Depth]>[]
    : unknown[]

type Required<S> = S extends { readonly required: readonly (infer R)[] } ? R : never

type OfObject<S, Root, Depth extends number> = S extends { readonly properties: infer P }
  ? Flat<
      { -readonly [K in keyof P as K extends Required<S> ? K : never]: FromSchema<P[K], Root, Less[Depth]> } & {
        -readonly [K in keyof P as K extends Required<S> ? never : K]?: FromSchema<P[K], Root, Less[Depth]>
      }
    >
  : S extends { readonly additionalProperties: infer A }
    ? { [key: string]: FromSchema<A, Root, Less[Depth]> }
    : { [key: string]: unknown }

type Flat<T> = { [K in keyof T]: T[K] }
