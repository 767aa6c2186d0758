import type { HostTime } from "../Host.js"
import type { AddressJudge } from "../network/index.js"
import type { OriginLimits } from "../OriginLimits.js"
import type { RequestTimeouts } from "../RequestTimeouts.js"
import { type Names, namesBy, namesOf } from "./lookup.js"
import type { ProxyChooser } from "./proxies.js"
import { type ResolveOption, resolverOf } from "./resolvers.js"
import type { Route } from "./socket.js"
import type { TcpSettings } from "./TcpSettings.js"
import { TlsClient } from "./tls.js"
import type { TlsSettings } from "./TlsSettings.js"

export interface OriginSettings extends Route {
  readonly tls: TlsSettings
  readonly resolve?: ResolveOption | undefined
  /** The address of this machine to connect from. */
  readonly localAddress?: string | undefined
  /** Addresses of the other family are not used. */
  readonly family?: 4 | 6 | undefined
  /** Undefined: no request goes through one. */
  readonly proxies?: ProxyChooser | undefined
  /** Undefined: everything may be reached. */
  readonly policy?: KnownPolicy | undefined
  /** Those of the origin, where it has its own. */
  readonly limits?: Partial<OriginLimits> | undefined
  readonly timeouts?: Partial<RequestTimeouts> | undefined
  readonly tcp: TcpSettings
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

  get limits(): OriginSettings["limits"] {
    return this.settings.limits
  }
  get timeouts(): OriginSettings["timeouts"] {
    return this.settings.timeouts
  }

  constructor(readonly settings: OriginSettings, time: Pick<HostTime, "elapsed">) {
    const { family, lookup, resolve } = settings
    this.names = namesOf(resolve === undefined ? namesBy(lookup) : resolverOf(resolve, time), family)
    this.tls = new TlsClient(settings.tls, time)
  }
}
