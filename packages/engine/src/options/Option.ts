import type { Kind } from "./Kind.js"

/** One option: a row of the table. */
export interface Option<out A> {
  readonly _tag: "Option"
  readonly kind: Kind
  /** What is counted, for the documents: `connections`, `bytes`, `duration`; empty where nothing is. */
  readonly unit: string
  /** Durations in milliseconds. */
  readonly default: A
  /** The name of its environment variable, without the prefix; undefined for what text cannot say or should not. */
  readonly variable: string | undefined
  /** Whether an error must not show its value. */
  readonly secret: boolean
  readonly sentence: string
  readonly since: string
}

/** Options under one name. */
export interface Group<out F extends Fields = Fields, out S = unknown> {
  readonly _tag: "Group"
  readonly fields: F
  /** What may be given instead of an object, and its default is the group's. */
  readonly shorthand: Option<S> | undefined
  /** What must hold between its options. They are asked when each of these is right by itself. */
  readonly rules: ReadonlyArray<Rule>
}

export interface Fields {
  readonly [name: string]: Option<unknown> | Group
}

/** The values of a group by name: all of them, and those that were given. */
export type Values = Readonly<Record<string, unknown>>

/** Finds what is wrong with one option in the light of the others. */
export type Rule = (all: Values, given: Values) => Conflict | undefined

export interface Conflict {
  readonly option: string
  readonly expected: string
}

/** The values of all options, with their defaults filled in. */
export type Resolved<F extends Fields> = { readonly [K in keyof F]: ResolvedField<F[K]> }

type ResolvedField<O> = O extends Option<infer A> ? A
  : O extends Group<infer F, infer S> ? Resolved<F> | ([unknown] extends [S] ? never : S)
  : never

type Details = {
  readonly sentence: string
  readonly variable?: string
  readonly secret?: boolean
  readonly since?: string
}

const option = <A>(kind: Kind, unit: string, byDefault: A, details: Details): Option<A> => ({
  _tag: "Option",
  kind,
  unit,
  default: byDefault,
  variable: details.variable,
  secret: details.secret ?? false,
  sentence: details.sentence,
  since: details.since ?? "0.1.0"
})

/** A number of something, `Infinity` where no upper end is given. */
export const whole = (
  unit: string,
  byDefault: number,
  { least = 0, most = Infinity, ...details }: Details & { readonly least?: number; readonly most?: number }
): Option<number> => option({ _tag: "Whole", least, most }, unit, byDefault, details)

/** A number that need not be whole. */
export const number = (byDefault: number, details: Details): Option<number> =>
  option({ _tag: "Number", least: 0 }, "", byDefault, details)

/** In milliseconds. */
export const duration = (
  byDefault: number,
  { least = 0, ...details }: Details & { readonly least?: number }
): Option<number> => option({ _tag: "Duration", least }, "duration", byDefault, details)

/** One of a few values. */
export const choice = <const A extends string | number | boolean>(
  values: ReadonlyArray<A>,
  byDefault: NoInfer<A>,
  details: Details
): Option<A> => option({ _tag: "Choice", values }, "", byDefault, details)

export const flag = (byDefault: boolean, details: Details): Option<boolean> =>
  option({ _tag: "Choice", values: [true, false] }, "", byDefault, details)

/** What has no default: nothing is done where it is not given. */
export const optional = <A>(
  kind: Exclude<Kind, { _tag: "List" }>,
  details: Details
): Option<A | undefined> => option<A | undefined>(kind, "", undefined, details)

/** A value of one of several kinds. */
export const either = <A>(kinds: ReadonlyArray<Kind>, byDefault: NoInfer<A>, details: Details): Option<A> =>
  option<A>({ _tag: "Either", kinds }, "", byDefault, details)

/** Several values of a kind. */
export const list = <A>(item: Kind, byDefault: ReadonlyArray<A>, details: Details): Option<ReadonlyArray<A>> =>
  option({ _tag: "List", item }, "", byDefault, details)

export const group = <F extends Fields>(fields: F, rules: ReadonlyArray<Rule> = []): Group<F> => ({
  _tag: "Group",
  fields,
  shorthand: undefined,
  rules
})

/** A group instead of which one value may be given. */
export const switched = <F extends Fields, S>(shorthand: Option<S>, fields: F): Group<F, S> => ({
  _tag: "Group",
  fields,
  shorthand,
  rules: []
})

/** Every option of a group with its path, in the order of the table. */
export const rows = (
  { fields, shorthand }: Group,
  path = ""
): ReadonlyArray<{ readonly path: string; readonly option: Option<unknown> }> => [
  ...(shorthand === undefined ? [] : [{ path, option: shorthand }]),
  ...Object.entries(fields).flatMap(([name, field]) =>
    field._tag === "Option" ? [{ path: join(path, name), option: field }] : rows(field, join(path, name))
  )
]

export const join = (path: string, name: string): string => path === "" ? name : `${path}.${name}`
