import { alternatives, expected, invalid, type Kind, read, type ToMillis } from "./Kind.js"
import { type Candidate, nearest } from "./nearest.js"
import { type Fields, type Group, join, type Option, type Resolved, type Values } from "./Option.js"
import { type Problem, show } from "./Problem.js"

export type Checked<A> =
  | { readonly _tag: "Valid"; readonly value: A }
  | { readonly _tag: "Invalid"; readonly problems: ReadonlyArray<Problem> }

export interface CheckOptions {
  readonly toMillis: ToMillis
  /** What the group is called in messages, as `limits`. */
  readonly path?: string | undefined
}

/** Checks an object of options, and fills in what it leaves open: from `base`, by default the defaults. */
export const check = <F extends Fields>(
  group: Group<F>,
  given: unknown,
  options: CheckOptions,
  base: Resolved<F> = defaultsOf(group)
): Checked<Resolved<F>> => {
  const checker = new Checker(group, options)
  const values = checker.group(group, given, options.path ?? "", base)
  return checker.result(values as Resolved<F>)
}

/** The same, without filling anything in. */
export const checkGiven = <F extends Fields>(
  group: Group<F>,
  given: unknown,
  options: CheckOptions
): Checked<Partial<Resolved<F>>> => {
  const checker = new Checker(group, options, false)
  const values = checker.group(group, given, options.path ?? "", {})
  return checker.result(values as Partial<Resolved<F>>)
}

/** What is used where nothing is given. */
export const defaultsOf = <F extends Fields>({ fields }: Group<F>): Resolved<F> =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, defaultOf(field)])) as Resolved<F>

const defaultOf = (field: Option<unknown> | Group): unknown =>
  field._tag === "Option" ? field.default : field.shorthand?.default ?? defaultsOf(field)

class Checker {
  private readonly problems: Array<Problem> = []

  constructor(
    private readonly root: Group,
    private readonly options: CheckOptions,
    /** Whether groups inside of the group get their defaults. */
    private readonly fillsIn = true
  ) {}

  result<A>(value: A): Checked<A> {
    return this.problems.length === 0 ? { _tag: "Valid", value } : { _tag: "Invalid", problems: this.problems }
  }

  group({ fields, rules, shorthand }: Group, given: unknown, path: string, base: Values): Values {
    if (!isRecord(given)) {
      const right = [...(shorthand === undefined ? [] : [expected(shorthand.kind)]), "an object"]
      // What stands where several options belong may be any of them, a key as well.
      this.wrong(path === "" ? "options" : path, show(given, typeof given === "string"), alternatives(right))
      return {}
    }
    // Inherited ones too: they are read as well.
    for (const name in given) if (!Object.hasOwn(fields, name)) this.unknown(name, fields, path)
    const before = this.problems.length
    const read: Record<string, unknown> = {}
    for (const [name, field] of Object.entries(fields)) {
      const value = given[name]
      if (value !== undefined) read[name] = this.field(field, value, join(path, name))
    }
    const all = { ...base, ...read }
    if (this.problems.length > before) return all
    for (const rule of rules) {
      const conflict = rule(all, read)
      if (conflict === undefined) continue
      this.wrong(join(path, conflict.option), this.shown(fields, conflict.option, given), conflict.expected)
    }
    return all
  }

  private field(field: Option<unknown> | Group, value: unknown, path: string): unknown {
    const option = field._tag === "Option" ? field : field.shorthand
    const result = option === undefined ? invalid : read(option.kind, value, this.options.toMillis)
    if (result !== invalid) return result
    if (field._tag === "Group") return this.group(field, value, path, this.fillsIn ? defaultsOf(field) : {})
    if (field.kind._tag === "List" && Array.isArray(value)) this.items(field.kind.item, value, path, field.secret)
    else this.wrong(path, show(value, field.secret), expected(field.kind))
    return undefined
  }

  /** Those of a list that are wrong. */
  private items(kind: Kind, values: ReadonlyArray<unknown>, path: string, secret: boolean): void {
    values.forEach((value, index) => {
      if (read(kind, value, this.options.toMillis) !== invalid) return
      this.wrong(`${path}[${index}]`, show(value, secret), expected(kind))
    })
  }

  private shown(fields: Fields, name: string, given: Values): string {
    const field = fields[name]
    return show(given[name], field?._tag === "Option" && field.secret)
  }

  private wrong(option: string, received: string, expected: string): void {
    this.problems.push({ _tag: "InvalidValue", option, received, expected })
  }

  private unknown(name: string, fields: Fields, path: string): void {
    this.problems.push({
      _tag: "UnknownOption",
      option: join(path, name),
      // One letter away in the same group is nearer than any name elsewhere; else those of the group are the first of
      // equals.
      suggestion: nearest(name, namesIn(fields, path), 1) ??
        nearest(name, [...namesIn(fields, path), ...pathsIn(this.root, this.options.path ?? "")]),
      known: Object.keys(fields)
    })
  }
}

const namesIn = (fields: Fields, path: string): ReadonlyArray<Candidate> =>
  Object.keys(fields).map((name) => ({ path: join(path, name), spellings: [name] }))

/** An option may be looked for by the name of its variable too: `readTimeout` is `timeouts.read`. */
const pathsIn = ({ fields }: Group, path: string): ReadonlyArray<Candidate> =>
  Object.entries(fields).flatMap(([name, field]) => {
    const here = join(path, name)
    if (field._tag === "Group") return [{ path: here, spellings: [name] }, ...pathsIn(field, here)]
    return [{ path: here, spellings: field.variable === undefined ? [name] : [name, field.variable] }]
  })

/** A map, a date or a promise has no options, whatever is in it. */
const isRecord = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && Object.prototype.toString.call(value) === "[object Object]"
