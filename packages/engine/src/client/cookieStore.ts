const reasons: Readonly<Record<string, string>> = {
  NotFound: "there is no such folder",
  PermissionDenied: "this process may not do that there",
  BadResource: "it is no file that can be used so",
  ParseError: "what is there is no list of cookies",
  SchemaError: "what is there is no list of cookies"
}

/** The reason of a platform's error, by its name; in Effect 4 it is an object. */
const reasonOf = (cause: unknown): string | undefined => {
  const { _tag, reason } = (cause ?? {}) as { readonly _tag?: unknown; readonly reason?: unknown }
  const given = typeof reason === "object" ? (reason as { readonly _tag?: unknown } | null)?._tag : reason
  const name = given ?? _tag
  return typeof name === "string" && /^[A-Za-z]+$/.test(name) ? reasons[name] ?? name : undefined
}

/** What a person needs of the failure of a store of cookies, and nothing of what is stored: the cause may quote it. */
export const describeStoreFailure = (
  operation: "load" | "save",
  store: string | undefined,
  cause: unknown
): string => {
  const reason = reasonOf(cause)
  return (operation === "load" ? "The stored cookies cannot be read" : "The cookies cannot be stored") +
    (store === undefined ? "" : operation === "load" ? ` from ${store}` : ` in ${store}`) +
    (reason === undefined ? "" : `: ${reason}`)
}
