import * as HttpClientRequest from "@effect/platform/HttpClientRequest"

/**
 * A request as errors and logs carry it: the platform puts its URL into their messages, and what stands before `@` in it
 * is a password.
 */
export const shownRequest = (request: HttpClientRequest.HttpClientRequest): HttpClientRequest.HttpClientRequest =>
  request.url.includes("@")
    ? HttpClientRequest.setUrl(request, request.url.replace(/\/\/[^/?#]*@/, "//REDACTED@"))
    : request
