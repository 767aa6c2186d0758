import type { ExchangeRequest } from "../Connection.js"

type Headers = ExchangeRequest["headers"]

/** A name such as `__proto__` is one as any other: there is nothing of Object's here that it would set. */
const Fields = function() {} as unknown as new() => Record<string, string>
Fields.prototype = Object.create(null)

/**
 * A copy to add fields to. Not by spreading: V8 takes more than ten times as long for an object with a prototype of its
 * own, as the headers of a platform are.
 */
export const copyHeaders = (given: Headers): Record<string, string> => {
  const copy = new Fields()
  for (const name in given) copy[name] = given[name]
  return copy
}

/**
 * The header fields of a request as a connection gets them: what its user says, and what the client says of its own accord
 * where the user does not. `acceptEncoding` takes the place of headers that are empty: one object for all such requests.
 */
export const requestHeaders = (
  given: Headers,
  contentType: string | undefined,
  authorization: string | undefined,
  idempotencyKey: string | undefined,
  acceptEncoding: { readonly "accept-encoding": string } | undefined
): Headers => {
  const addType = contentType !== undefined && given["content-type"] === undefined
  const addAuthorization = authorization !== undefined && given["authorization"] === undefined
  if (!addType && !addAuthorization && idempotencyKey === undefined) {
    if (acceptEncoding === undefined) return given
    if (isEmpty(given)) return acceptEncoding
  }
  const headers = copyHeaders(given)
  if (addType) headers["content-type"] = contentType
  if (addAuthorization) headers["authorization"] = authorization
  if (idempotencyKey !== undefined) headers["idempotency-key"] = idempotencyKey
  if (acceptEncoding !== undefined) headers["accept-encoding"] = acceptEncoding["accept-encoding"]
  return headers
}

const isEmpty = (headers: Headers): boolean => {
  for (const _ in headers) return false
  return true
}

/** Without one of them, which is mostly not there. */
export const withoutHeader = (given: Headers, name: string): Headers => {
  if (given[name] === undefined) return given
  const headers = copyHeaders(given)
  delete headers[name]
  return headers
}
