import * as zlib from "node:zlib"
import type { Format } from "./formats.js"

/** A checksum costs time, and only gzip has one that node:zlib does not check here. */
export const checksum = (format: Format, bytes: Uint8Array, crc: number): number =>
  format.trailer === 0 ? 0 : zlib.crc32(bytes, crc)
