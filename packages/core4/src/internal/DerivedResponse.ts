import { describeCause, Failure } from "@sluice/engine"
import { isIdempotent } from "@sluice/engine/call"
import { invalidForm, invalidJson } from "@sluice/engine/client"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Cookies from "effect/http/Cookies"
import type * as Headers from "effect/http/Headers"
import { DecodeError, type HttpClientError } from "effect/http/HttpClientError"
import { type HttpClientRequest, toUrl } from "effect/http/HttpClientRequest"
import { type HttpClientResponse, TypeId as ResponseTypeId } from "effect/http/HttpClientResponse"
import * as IncomingMessage from "effect/http/HttpIncomingMessage"
import * as UrlParams from "effect/http/UrlParams"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import type * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import { fromFailure } from "../TransportError.js"
import { maxText } from "./client/bodyReaders.js"
import { clientError } from "./client/errors.js"
import { shownRequest } from "./client/shownRequest.js"

/** What a derived response reads instead of the original's body. */
export interface DerivedBody {
  /** All of it; can be read again. */
  readonly bytes: Effect.Effect<Uint8Array, HttpClientError>
  /** As it arrives. */
  readonly stream: Stream.Stream<Uint8Array, HttpClientError>
}

/** One for all: it keeps no state between whole texts. */
const utf8 = new TextDecoder()

/** A response with another body and other headers than the one that came, which stays to be had. */
export class DerivedResponse extends Inspectable.Class implements HttpClientResponse {
  private readonly body: DerivedBody

  constructor(
    readonly original: HttpClientResponse,
    readonly headers: Headers.Headers,
    body: (response: DerivedResponse) => DerivedBody
  ) {
    super()
    this.body = body(this)
  }

  get [ResponseTypeId](): typeof ResponseTypeId {
    return ResponseTypeId
  }

  get [IncomingMessage.TypeId](): typeof IncomingMessage.TypeId {
    return IncomingMessage.TypeId
  }

  get request(): HttpClientRequest {
    return this.original.request
  }

  get status(): number {
    return this.original.status
  }

  get cookies(): Cookies.Cookies {
    return this.original.cookies
  }

  get remoteAddress(): Option.Option<string> {
    return this.original.remoteAddress
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError> {
    return this.body.stream
  }

  get text(): Effect.Effect<string, HttpClientError> {
    return Effect.flatMap(this.body.bytes, (bytes) => this.decode(bytes))
  }

  get json(): Effect.Effect<Schema.Json, HttpClientError> {
    return Effect.flatMap(this.body.bytes, (bytes) =>
      Effect.flatMap(this.decode(bytes), (text) =>
        Effect.try({
          try: (): Schema.Json => text === "" ? null : JSON.parse(text),
          catch: (cause) => this.error(invalidJson(cause, this, bytes))
        })))
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpClientError> {
    return Effect.flatMap(this.body.bytes, (bytes) => {
      try {
        return Exit.succeed(Uint8Array.prototype.slice.call(bytes).buffer as ArrayBuffer)
      } catch {
        return Exit.fail(this.tooLarge("bytes", bytes.length))
      }
    })
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpClientError> {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get formData(): Effect.Effect<FormData, HttpClientError> {
    const type = this.headers["content-type"]
    return Effect.flatMap(this.body.bytes, (bytes) =>
      Effect.tryPromise({
        try: () =>
          new Response(bytes as BodyInit, { headers: type === undefined ? {} : { "content-type": type } }).formData(),
        catch: (cause) => this.error(invalidForm(cause, this, bytes))
      }))
  }

  private decode(bytes: Uint8Array): Exit.Exit<string, HttpClientError> {
    try {
      return Exit.succeed(utf8.decode(bytes))
    } catch {
      return Exit.fail(this.tooLarge("text", maxText))
    }
  }

  private tooLarge(reader: "bytes" | "text", maxResponseSize: number): HttpClientError {
    const origin = Option.match(toUrl(this.request), { onNone: () => "", onSome: ({ origin }) => origin })
    const sent = { origin, phase: "body", written: true, safeToRetry: isIdempotent(this.request.method) } as const
    return this.error(fromFailure(Failure.responseTooLarge({ ...sent, reader, maxResponseSize })))
  }

  get url(): string {
    return this.original.url
  }

  get upgrade(): HttpClientResponse["upgrade"] {
    return this.original.upgrade
  }

  pipe(): unknown {
    // eslint-disable-next-line prefer-rest-params
    return pipeArguments(this, arguments)
  }

  /** That the body cannot be read. */
  error(cause: unknown): HttpClientError {
    const description = describeCause(cause)
    return clientError(() =>
      new DecodeError({
        request: shownRequest(this.request),
        response: this,
        cause,
        ...(description === "" ? {} : { description })
      })
    )
  }

  toJSON(): unknown {
    return this.original.toJSON()
  }
}

/** The response that came, under all that was derived from it. */
export const originalOf = (response: HttpClientResponse): HttpClientResponse =>
  response instanceof DerivedResponse ? originalOf(response.original) : response
