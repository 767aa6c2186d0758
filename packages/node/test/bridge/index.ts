/**
 * `@sluice/node` with the layer of Effect 4 below its own: what the tests of the client's behaviour run against both faces
 * by. A bridge hides what a naive port gets wrong; `node4/test` has the tests of its own.
 */
export * from "../../src/index.js"
export * as HttpClientLayer from "./HttpClientLayer.js"
