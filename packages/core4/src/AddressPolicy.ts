/**
 * Which addresses may be reached: for programs that request URLs which somebody else has given them (webhooks, previews,
 * imports), so that nobody reaches through them what only they can (SSRF).
 *
 * What is judged is the address that is connected to, and never how it is written: `127.1`, `0x7f000001`, `2130706433`,
 * `[::ffff:127.0.0.1]`, `[64:ff9b::7f00:1]` and a name that resolves to `127.0.0.1` are all the same. It is judged for each
 * connection, so for each redirect too, and there is no second look-up between judging and connecting. A host of which one
 * address is not allowed is not reached at all. What is not allowed fails with `AddressNotAllowed`, before anything is sent.
 *
 * @since 0.1.0
 */
import type { AddressTarget as Target } from "@sluice/engine/network"

/**
 * What is about to be connected to: the host of the URL, its port, and one of its addresses, or the path of a Unix socket.
 * `address` is undefined where a proxy resolves the name.
 *
 * @since 0.1.0
 * @category models
 */
export type AddressTarget = Target

/**
 * An entry of a list is a name (with all names below it), an address, a range as `10.0.0.0/8`, each with or without a port,
 * `*`, or the path of a Unix socket. `deny` comes first, then `allow`, then `publicOnly`, then `check`.
 *
 * @example
 * ```ts
 * import { HttpClientLayer } from "@sluice/node4"
 *
 * // What is public, and one service of our own; but nothing of the provider's.
 * const layer = HttpClientLayer.layer({
 *   addressPolicy: { publicOnly: true, allow: ["10.1.2.3:8443"], deny: ["168.63.129.16"] }
 * })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface AddressPolicy {
  /**
   * Only addresses that are anybody's on the Internet: none that the IANA registries list as special, and no Unix socket.
   * Default false.
   */
  readonly publicOnly?: boolean | undefined
  /**
   * With `publicOnly`: what may be reached besides, whatever its addresses are. Without: all that may be reached. Default:
   * with `publicOnly` nothing, without it everything.
   */
  readonly allow?: ReadonlyArray<string> | undefined
  /** What may never be reached. Default nothing. */
  readonly deny?: ReadonlyArray<string> | undefined
  /** Asked about each address that the lists allow. False, or that it throws, is no. Default none. */
  readonly check?: ((target: AddressTarget) => boolean) | undefined
  /**
   * With a policy, proxies of the environment are not used. One that is given goes with one of:
   *
   * - `"literals-only"`: the proxy resolves names. They are judged as names, and addresses that are written in URLs as
   *   addresses; what a name leads to is the proxy's to judge.
   * - `"resolve-here"`: names are looked up and judged here, and the proxy is asked for a tunnel to the address.
   *
   * Default: there must be no proxy.
   */
  readonly throughProxy?: "literals-only" | "resolve-here" | undefined
}

/**
 * Public addresses only.
 *
 * @since 0.1.0
 * @category constants
 */
export const publicOnly: AddressPolicy = { publicOnly: true }
