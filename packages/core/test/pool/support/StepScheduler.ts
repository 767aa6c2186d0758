export * from "../../../src/internal/testing/StepScheduler.js"
