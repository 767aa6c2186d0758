import { Breathing } from "@sluice/engine/memory"
import { setTimeout } from "../realTimers.js"

/** One for the process: what goes on while another waits would leave nobody at rest. */
export const breathing = new Breathing(setTimeout)
