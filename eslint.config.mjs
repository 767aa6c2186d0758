import * as effectPlugin from "@effect/eslint-plugin/plugin"
import js from "@eslint/js"
import globals from "globals"
import tseslint from "typescript-eslint"

const message = "All time is Effect's Clock, so that TestClock moves it."
const timers = ["setTimeout", "setInterval", "setImmediate"].map((name) => ({ name, message }))
const clocks = ["Date", "performance"].map((object) => ({ object, property: "now", message }))

// A wall clock is set, forward and back: nothing that takes time may go by it.
const wallTime = [
  "Identifier[name=/^(currentTimeMillis|(unsafeCurrentTime|currentTimeMillis|currentTimeNanos)(Millis|Unsafe)|timeOrigin)$/]",
  "NewExpression[callee.name='Date'][arguments.length=0]",
  "CallExpression[callee.name='Date']",
  "MemberExpression[object.name='DateTime'][property.name=/^(now|unsafeNow|nowAsDate|nowInCurrentZone)$/]",
  "MemberExpression[object.name=/^(Effect|Schedule)$/][property.name='timestamp']"
].map((selector) => ({
  selector,
  message: "Wall time is for dates alone, from core's internal/wallTime.ts. What takes time goes by monotonic time: " +
    "`Clock.currentTimeNanos`, and in the engine what its host says has elapsed."
}))

// What only a browser, or only Node, has. Core is to run on both.
const oneRuntime = [...Object.keys(globals.browser), ...Object.keys(globals.nodeBuiltin)]
  .filter((name) => !Object.hasOwn(globals["shared-node-browser"], name))
  .map((name) => ({ name, message: "Core has no globals of one runtime." }))

export default tseslint.config(
  {
    ignores: [
      "**/dist/",
      "**/node_modules/",
      "**/coverage/",
      "**/.scratch/",
      "site/gathered/",
      "site/.vitepress/cache/"
    ]
  },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ["**/*.{ts,mts,js,mjs}"],
    linterOptions: { reportUnusedDisableDirectives: "error" },
    plugins: { "@effect": effectPlugin },
    rules: {
      "@effect/dprint": ["error", {
        config: {
          indentWidth: 2,
          lineWidth: 120,
          semiColons: "asi",
          quoteStyle: "alwaysDouble",
          trailingCommas: "never",
          operatorPosition: "maintain",
          "arrowFunction.useParentheses": "force"
        }
      }],
      "@effect/no-import-from-barrel-package": ["error", { packageNames: ["effect", "@effect/platform"] }],
      "@typescript-eslint/array-type": ["error", { default: "generic", readonly: "generic" }],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "separate-type-imports" }],
      "@typescript-eslint/no-empty-object-type": "off",
      "@typescript-eslint/no-namespace": "off",
      "@typescript-eslint/no-unsafe-declaration-merging": "off",
      "@typescript-eslint/no-unused-vars": ["error", {
        argsIgnorePattern: "^_",
        varsIgnorePattern: "^_",
        caughtErrors: "none",
        destructuredArrayIgnorePattern: "^_"
      }],
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-empty": ["error", { allowEmptyCatch: true }],
      "object-shorthand": "error",
      "prefer-const": ["error", { destructuring: "all" }],
      // A generator is how Effect writes a sequence; one without a yield is not a mistake worth a failure.
      "require-yield": "off"
    }
  },
  {
    files: ["packages/*/src/**/*.ts"],
    rules: { "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }], "no-console": "error" }
  },
  {
    // The test server is left out: how long a server takes is real time, whatever the client's clock says.
    files: ["packages/*/src/**/*.ts"],
    ignores: ["packages/test-server/**"],
    rules: {
      "no-restricted-globals": ["error", ...timers],
      "no-restricted-properties": ["error", ...clocks],
      "no-restricted-syntax": ["error", ...wallTime]
    }
  },
  {
    files: ["packages/{core,core4}/src/internal/wallTime.ts"],
    rules: { "no-restricted-syntax": "off" }
  },
  {
    files: ["packages/{engine,core,core4}/src/**/*.ts"],
    ignores: ["packages/engine/src/node/**"],
    rules: { "no-restricted-globals": ["error", ...timers, ...oneRuntime] }
  },
  {
    files: ["**/test/**/*.ts"],
    rules: { "@typescript-eslint/no-explicit-any": "off" }
  },
  {
    files: ["**/*.mjs"],
    languageOptions: { globals: globals.node }
  },
  {
    // The compiler knows better which names exist.
    files: ["**/*.ts"],
    rules: { "no-undef": "off", "no-redeclare": "off" }
  }
)
