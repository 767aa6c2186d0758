import type { Proxy } from "../network/index.js"
import type { TlsSettings } from "./TlsSettings.js"

/** Header fields for a proxy, or what makes them for a request; the URL is of the request, or names the origin alone. */
export type ProxyHeaders = Readonly<Record<string, string>> | ((url: URL) => Readonly<Record<string, string>>)

/** A proxy as the face has it; it documents it. */
export interface ProxySettings {
  readonly url: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly headers?: ProxyHeaders | undefined
  readonly tls?: TlsSettings | undefined
  readonly noProxy?: string | ReadonlyArray<string> | undefined
}

/** One proxy, or what chooses one. */
export type ProxyOption =
  | "environment"
  | "none"
  | (string & {})
  | ProxySettings
  | ((url: URL) => string | ProxySettings | undefined)

/** A proxy that connections can be made to. */
export interface KnownProxy extends Proxy {
  readonly headers: ProxyHeaders | undefined
  /** To the proxy itself, where its scheme is `https`. */
  readonly tls: TlsSettings
}
