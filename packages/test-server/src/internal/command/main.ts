import type { Command } from "./arguments.js"
import { runFaultProxy } from "./faultProxyCommand.js"
import { runProxy } from "./proxyCommand.js"
import { runServer } from "./serverCommand.js"

export { CommandError } from "./CommandError.js"

/** Runs the command until it is interrupted. `out` gets each line that it prints. */
export const main: Command = (args, out) => {
  switch (args[0]) {
    case "proxy":
      return runProxy(args.slice(1), out)
    case "fault-proxy":
      return runFaultProxy(args.slice(1), out)
    default:
      return runServer(args, out)
  }
}
