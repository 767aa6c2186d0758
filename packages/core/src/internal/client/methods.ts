/** Methods that can be carried out twice without harm (RFC 9110 §9.2.2); QUERY is safe, and so idempotent. */
const idempotent = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "QUERY"])

export const isIdempotent = (method: string): boolean => idempotent.has(method)
