import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import { ResponseError } from "@effect/platform/HttpClientError"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import type * as ClientResponse from "@effect/platform/HttpClientResponse"
import { TypeId as ResponseTypeId } from "@effect/platform/HttpClientResponse"
import * as IncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import { describeCause, type Failure, summarizeFailure } from "@sluice/engine"
import type { CallResponse, ConnectionFacts } from "@sluice/engine/call"
import { invalidForm, invalidJson, redactHeaders } from "@sluice/engine/client"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { TransportError } from "../../TransportError.js"
import { withoutFrames } from "../printable.js"
import { bytesOf, maxText, streamOf, tooLarge } from "./bodyReaders.js"
import { shownRequest, withShownUrl } from "./shownRequest.js"

/**
 * How a response came.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConnectionInfo extends ConnectionFacts {}

/** One for all: it keeps no state between whole texts. It drops a byte order mark, as the platform's layers do. */
const utf8 = new TextDecoder()

/** Bytes for which there is memory. */
const maxShortText = 1024 * 1024

/**
 * A response as the platform's `HttpClientResponse`. Nothing is decoded before it is asked for, and a body that has
 * arrived is read without waiting. `text`, `json`, `arrayBuffer`, `urlParamsBody` and `formData` can be read again.
 */
export class HttpResponse extends Inspectable.Class implements ClientResponse.HttpClientResponse {
  private cachedHeaders: Headers.Headers | undefined = undefined
  private cachedCookies: Cookies.Cookies | undefined = undefined
  private shown: HttpClientRequest | undefined = undefined
  private cachedText: string | undefined = undefined

  constructor(
    private readonly sent: HttpClientRequest,
    private readonly response: CallResponse
  ) {
    super()
  }

  get [ResponseTypeId](): ClientResponse.TypeId {
    return ResponseTypeId
  }

  get [IncomingMessage.TypeId](): IncomingMessage.TypeId {
    return IncomingMessage.TypeId
  }

  /**
   * As it was sent; its query is in `urlParams` and its userinfo in `authorization`, for errors of the platform show the URL.
   * Printed, it shows no secret.
   */
  get request(): HttpClientRequest {
    return this.shown ??= shownRequest(this.sent)
  }

  get status(): number {
    return this.response.head.status
  }

  get headers(): Headers.Headers {
    return this.cachedHeaders ??= headersOf(this.response.head.rawHeaders)
  }

  /** Most responses have none, and then their fields are not read for it. */
  get contentEncoding(): string | undefined {
    const { head } = this.response
    return head.isCoded === false ? undefined : valueOf(head.rawHeaders, "content-encoding")
  }

  get cookies(): Cookies.Cookies {
    return this.cachedCookies ??= Cookies.fromSetCookie(this.setCookies)
  }

  /** The `Set-Cookie` fields as they came. */
  get setCookies(): ReadonlyArray<string> {
    return this.fields("set-cookie")
  }

  /** The values of all fields of a name, as they came. */
  fields(name: string): ReadonlyArray<string> {
    return valuesOf(this.response.head.rawHeaders, name)
  }

  get remoteAddress(): Option.Option<string> {
    return Option.fromNullable(this.response.remoteAddress)
  }

  /** Is called when the body breaks off, or has: once, whether anybody reads it or not. */
  onBodyFailure(report: (failure: Failure.Failure) => void): void {
    const { body } = this.response
    if (body.state._tag === "Failed") report(body.state.failure)
    else if (!body.isComplete) body.onFailed = report
  }

  /** Its last byte has come: it holds no connection. */
  get isComplete(): boolean {
    return this.response.body.isComplete
  }

  /** It will be read, however late. */
  hold(): void {
    this.response.body.hold()
  }

  get connection(): ConnectionInfo {
    return this.response.facts
  }

  /** The fields that came after the body (RFC 9110 §6.5); empty until it is complete. */
  get trailers(): Headers.Headers {
    return headersOf(this.response.body.trailers)
  }

  get bytes(): Effect.Effect<Uint8Array, ResponseError> {
    return Effect.mapError(bytesOf(this.response.body), (cause) => this.toError(cause))
  }

  get text(): Effect.Effect<string, ResponseError> {
    const { body } = this.response
    // Most responses are short, and have arrived whole when somebody asks for their text: nothing can fail, in one step.
    if (body.isComplete && body.size <= maxShortText) return Effect.sync(() => this.decodeOnce(body.join()))
    return Effect.flatMap(this.bytes, (bytes) => this.decode(bytes))
  }

  get json(): Effect.Effect<unknown, ResponseError> {
    return Effect.flatMap(this.text, (text) => {
      try {
        return Effect.succeed(text === "" ? null : JSON.parse(text))
      } catch (cause) {
        return Effect.fail(this.decodeError(invalidJson(cause, this, this.response.body.join())))
      }
    })
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, ResponseError> {
    return Effect.map(this.bytes, (bytes) =>
      bytes.byteLength === bytes.buffer.byteLength
        ? bytes.buffer as ArrayBuffer
        // Not `bytes.slice()`: a Buffer's is a view of the pool that it was allocated in.
        : Uint8Array.prototype.slice.call(bytes).buffer as ArrayBuffer)
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, ResponseError> {
    return Effect.flatMap(this.text, (text) =>
      Effect.try({
        try: () => UrlParams.fromInput(new URLSearchParams(text)),
        catch: (cause) => this.decodeError(cause)
      }))
  }

  get formData(): Effect.Effect<FormData, ResponseError> {
    return Effect.flatMap(this.bytes, (bytes) =>
      Effect.tryPromise({
        try: () => new Response(bytes as BodyInit, { headers: contentType(this.headers) }).formData(),
        catch: (cause) => this.decodeError(invalidForm(cause, this, bytes))
      }))
  }

  get stream(): Stream.Stream<Uint8Array, ResponseError> {
    return Stream.mapError(streamOf(this.response.body), (cause) => this.toError(cause))
  }

  discard(): void {
    this.response.body.abandon("Cancelled")
  }

  /** The body is not shown: it may hold secrets, and of one that is still arriving it would hold the connection. */
  toJSON(): unknown {
    return {
      _id: "@effect/platform/HttpClientResponse",
      request: this.request.toJSON(),
      status: this.status,
      headers: redactHeaders(this.headers),
      remoteAddress: this.remoteAddress.toJSON()
    }
  }

  private decodeOnce(bytes: Uint8Array): string {
    return this.cachedText ??= utf8.decode(bytes)
  }

  private decode(bytes: Uint8Array): Exit.Exit<string, ResponseError> {
    try {
      return Exit.succeed(this.decodeOnce(bytes))
    } catch {
      return Exit.fail(this.toError(tooLarge(this.response.body, "text", maxText)))
    }
  }

  private toError(cause: TransportError): ResponseError {
    return withoutFrames(() =>
      withShownUrl(
        new ResponseError({
          request: this.request,
          response: this,
          reason: "Decode",
          cause,
          description: summarizeFailure(cause)
        })
      )
    )
  }

  private decodeError(cause: unknown): ResponseError {
    const { request } = this
    const description = describeCause(cause)
    return withoutFrames(() =>
      withShownUrl(
        description === ""
          ? new ResponseError({ request, response: this, reason: "Decode", cause })
          : new ResponseError({ request, response: this, reason: "Decode", cause, description })
      )
    )
  }
}

const contentType = (headers: Headers.Headers): Record<string, string> =>
  headers["content-type"] === undefined ? {} : { "content-type": headers["content-type"] }

const headersPrototype = Object.getPrototypeOf(Headers.empty)

/** Fields that occur several times are joined by commas (RFC 9110 §5.3); cookies are read separately. */
const headersOf = (raw: ReadonlyArray<string>): Headers.Headers => {
  const headers: Record<string, string> = Object.create(headersPrototype)
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${raw[i + 1]}` : raw[i + 1]
  }
  return headers as Headers.Headers
}

const valuesOf = (raw: ReadonlyArray<string>, name: string): Array<string> => {
  const values: Array<string> = []
  for (let i = 0; i < raw.length; i += 2) if (raw[i] === name) values.push(raw[i + 1])
  return values
}

const valueOf = (raw: ReadonlyArray<string>, name: string): string | undefined => {
  let value: string | undefined
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i] === name) value = value === undefined ? raw[i + 1] : `${value}, ${raw[i + 1]}`
  }
  return value
}
