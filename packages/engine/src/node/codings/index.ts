/** What node:zlib does of the content codings, and how each of them frames it. */
export { BodyDecoder } from "./BodyDecoder.js"
export { decodeSync } from "./decodeSync.js"
export { decodeWhole } from "./decodeWhole.js"
export { type Coder, coders } from "./encoders.js"
export { br, deflate, type Format, gzip } from "./formats.js"
export { Pump } from "./Pump.js"
export { zstd } from "./zstd.js"
