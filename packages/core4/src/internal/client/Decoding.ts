import type * as HttpClient from "effect/http/HttpClient"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"

/** How the responses of a client are asked for and decoded. */
export interface Decoding {
  /** `Accept-Encoding`, for who sends nothing else. */
  readonly headers: { readonly "accept-encoding": string }
  readonly decode: (response: HttpClientResponse) => HttpClientResponse
}

/** Who asks for a coding, or for a part of the coded body, reads what comes. */
export const wantsDecoding = ({ headers }: HttpClientRequest): boolean =>
  headers["accept-encoding"] === undefined && headers["range"] === undefined

const decodesWith = Symbol("@sluice/core4/decodesWith")

/** A client that can decode by itself. Around any other one it takes two more steps and a copy of each request. */
interface DecodingClient<E, R> {
  readonly [decodesWith]?: (decoding: Decoding) => HttpClient.HttpClient.With<E, R>
}

export const makeDecodable = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  decodeWith: (decoding: Decoding) => HttpClient.HttpClient.With<E, R>
): HttpClient.HttpClient.With<E, R> => Object.assign(client, { [decodesWith]: decodeWith })

/** The same client, with its responses decoded, if it can do so by itself. */
export const decodingClient = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  decoding: Decoding
): HttpClient.HttpClient.With<E, R> | undefined => (client as DecodingClient<E, R>)[decodesWith]?.(decoding)
