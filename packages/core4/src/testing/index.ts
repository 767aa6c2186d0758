/**
 * For tests of programs that use Sluice: a network without sockets, on Effect's Clock.
 *
 * @since 0.1.0
 */
export * as Interleavings from "./Interleavings.js"
export * as MemoryNetwork from "./MemoryNetwork.js"
export * as MockHttp from "./MockHttp.js"
export { settle } from "./settle.js"
