const inUse = new Set<string>()

/**
 * Pools without a name are not to add up in silence: `default`, and `default-2` while there is one already. A number that
 * is free again is used again. `leave` gives it back.
 */
export const takeName = (given: string | undefined): { readonly name: string; readonly leave: () => void } => {
  if (given !== undefined) return { name: given, leave: () => {} }
  let name = "default"
  for (let n = 2; inUse.has(name); n++) name = `default-${n}`
  inUse.add(name)
  return { name, leave: () => inUse.delete(name) }
}
