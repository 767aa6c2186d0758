/** Methods that can be carried out twice without harm (RFC 9110 §9.2.2); QUERY is safe, and so idempotent. */
const idempotent = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "QUERY"])

/** Whether bytes go on as they are after the head: an upgrade (RFC 9110 §15.2.2), or CONNECT with success (§9.3.6). */
export const opensTunnel = (method: string, status: number): boolean =>
  status === 101 || (method === "CONNECT" && status >= 200 && status < 300)

export const isIdempotent = (method: string): boolean => idempotent.has(method)
