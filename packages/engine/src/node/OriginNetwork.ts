import type { HostTime } from "../Host.js"
import type { AddressJudge } from "../network/index.js"
import { type Names, namesOf } from "./lookup.js"
import type { Route } from "./socket.js"
import { TlsClient } from "./tls.js"
import type { TlsSettings } from "./TlsSettings.js"

export interface OriginSettings extends Route {
  readonly tls: TlsSettings
  /** Undefined: everything may be reached. */
  readonly policy?: KnownPolicy | undefined
}

/** What may be reached, without a proxy and through one. */
export interface KnownPolicy {
  readonly judge: AddressJudge
  readonly throughProxy: "literals-only" | "resolve-here"
}

/** What the connections of an origin are made with: where its names come from, and how it is verified. */
export class OriginNetwork {
  readonly names: Names
  readonly tls: TlsClient

  constructor(readonly settings: OriginSettings, time: Pick<HostTime, "elapsed">) {
    this.names = namesOf(settings.lookup)
    this.tls = new TlsClient(settings.tls, time)
  }
}
