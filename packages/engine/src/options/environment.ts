import type { invalid } from "./Kind.js"
import { readText, type ToMillis } from "./Kind.js"
import { distance } from "./nearest.js"
import { type Group, type Option, rows } from "./Option.js"

/** An option that can be set by an environment variable. */
export interface Variable {
  readonly name: string
  readonly path: string
  readonly option: Option<unknown>
}

/** The variables of all options of a group, each beginning with the prefix. */
export const variables = (group: Group, prefix: string): ReadonlyArray<Variable> =>
  rows(group).flatMap(({ option, path }) =>
    option.variable === undefined ? [] : [{ name: `${prefix}_${option.variable}`, path, option }]
  )

/**
 * The variables that are set and mean nothing, with the ones that were probably meant. Only what is within two letters of
 * one is named: with the same prefix there may be others' variables as well.
 */
export const misspelt = (
  set: Iterable<string>,
  known: ReadonlyArray<Variable>
): ReadonlyArray<{ readonly name: string; readonly meant: string }> => {
  const names = known.map(({ name }) => name)
  return [...set].filter((name) => !names.includes(name)).flatMap((name) => {
    const near = names.filter((right) => Math.abs(right.length - name.length) <= 2 && distance(name, right) <= 2)
    const meant = near.sort((one, other) => distance(name, one) - distance(name, other))[0]
    return meant === undefined ? [] : [{ name, meant }]
  })
}

/** The value of a variable, or `invalid`. */
export const parse = <A>({ kind }: Option<A>, text: string, toMillis: ToMillis): A | typeof invalid =>
  readText(kind, text, toMillis) as A | typeof invalid
