import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import type { HttpClientError, ResponseError } from "@effect/platform/HttpClientError"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import { type HttpClientResponse, TypeId as ResponseTypeId } from "@effect/platform/HttpClientResponse"
import * as IncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import type * as Runtime from "effect/Runtime"
import * as Stream from "effect/Stream"
import type * as Context4 from "effect4/Context"
import type * as Effect4 from "effect4/Effect"
import * as Cookies4 from "effect4/http/Cookies"
import * as Headers4 from "effect4/http/Headers"
import * as HttpBody4 from "effect4/http/HttpBody"
import type { HttpClientError as HttpClientError4 } from "effect4/http/HttpClientError"
import * as HttpClientRequest4 from "effect4/http/HttpClientRequest"
import type { HttpClientResponse as HttpClientResponse4 } from "effect4/http/HttpClientResponse"
import * as UrlParams4 from "effect4/http/UrlParams"
import * as Option4 from "effect4/Option"
import { from4, stream3, stream4 } from "./effects.js"

const body4 = (body: HttpClientRequest["body"], runtime: Runtime.Runtime<never>): HttpBody4.HttpBody => {
  switch (body._tag) {
    case "Empty":
      return HttpBody4.empty
    case "Raw":
      return HttpBody4.raw(body.body, { contentType: body.contentType, contentLength: body.contentLength })
    case "Uint8Array":
      return HttpBody4.uint8Array(body.body, body.contentType)
    case "FormData":
      return HttpBody4.formData(body.formData)
    case "Stream":
      return HttpBody4.stream(stream4(body.stream, runtime), body.contentType, body.contentLength)
  }
}

/** Not by its setters: these add headers. */
export const toRequest4 = (
  request: HttpClientRequest,
  runtime: Runtime.Runtime<never>
): HttpClientRequest4.HttpClientRequest =>
  HttpClientRequest4.makeWith(
    request.method,
    request.url,
    UrlParams4.make(request.urlParams),
    Option.match(request.hash, { onNone: Option4.none, onSome: Option4.some }),
    Headers4.fromInput(request.headers),
    body4(request.body, runtime)
  )

export class Response3 extends Inspectable.Class implements HttpClientResponse {
  readonly [ResponseTypeId]: typeof ResponseTypeId = ResponseTypeId
  readonly [IncomingMessage.TypeId]: typeof IncomingMessage.TypeId = IncomingMessage.TypeId

  constructor(
    readonly request: HttpClientRequest,
    readonly four: HttpClientResponse4,
    private readonly context: Context4.Context<never>,
    private readonly toError: (error: HttpClientError4) => HttpClientError
  ) {
    super()
  }

  private read<A>(effect: Effect4.Effect<A, HttpClientError4>): Effect.Effect<A, ResponseError> {
    return Effect.mapError(from4(effect, this.context), (error) => this.toError(error) as ResponseError)
  }

  get status(): number {
    return this.four.status
  }

  get headers(): Headers.Headers {
    return Headers.fromInput({ ...this.four.headers })
  }

  get cookies(): Cookies.Cookies {
    return Cookies.fromSetCookie(Cookies4.toSetCookieHeaders(this.four.cookies))
  }

  get remoteAddress(): Option.Option<string> {
    return Option.fromNullable(Option4.getOrUndefined(this.four.remoteAddress))
  }

  get text(): Effect.Effect<string, ResponseError> {
    return this.read(this.four.text)
  }

  get json(): Effect.Effect<unknown, ResponseError> {
    return this.read(this.four.json)
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, ResponseError> {
    return this.read(this.four.arrayBuffer)
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, ResponseError> {
    return Effect.map(this.read(this.four.urlParamsBody), ({ params }) => UrlParams.fromInput(params as never))
  }

  get formData(): Effect.Effect<FormData, ResponseError> {
    return this.read(this.four.formData)
  }

  get stream(): Stream.Stream<Uint8Array, ResponseError> {
    return Stream.mapError(stream3(this.four.stream, this.context), (error) => this.toError(error) as ResponseError)
  }

  toJSON(): unknown {
    return this.four.toJSON()
  }
}
