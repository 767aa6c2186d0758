/**
 * What a client knows beside the pool and the wire: cookies, redirects, challenges, event streams, what may be shown of a
 * message, bodies that are open. Decisions and formats; who asks, when and in which fiber is a face's.
 */
export * from "./attempts.js"
export * from "./challenges.js"
export * from "./CodingFailure.js"
export * from "./CookieJar.js"
export * from "./Deadline.js"
export * from "./EventDecoder.js"
export * from "./IdempotencyKeys.js"
export * from "./Lines.js"
export * from "./LiveBody.js"
export * as location from "./location.js"
export * as multipart from "./multipart.js"
export * as netrc from "./netrc.js"
export * from "./redactHeaders.js"
export * from "./RedirectChain.js"
export * from "./redirects.js"
export * from "./retry.js"
export * as retryAfter from "./retryAfter.js"
export * as setCookie from "./setCookie.js"
export * from "./spanAttributes.js"
export * from "./undecodable.js"
