/**
 * Names, addresses and ways through networks, without I/O.
 */
export * from "./AddressRace.js"
