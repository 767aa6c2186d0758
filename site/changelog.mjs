// The page of changes: what the packages' changelogs say, and before it what the next version will.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./sources.mjs"

const intro = `# Changelog

All packages have one version. What changed in a way that breaks programs stands first, see [what is promised](./stability.md).
`

/** The notes that are waiting for the next version. */
const waiting = () => {
  const folder = join(root, ".changeset")
  const notes = readdirSync(folder)
    .filter((name) => name.endsWith(".md") && name !== "README.md")
    .sort()
    .map((name) => {
      const text = readFileSync(join(folder, name), "utf8")
      const [, head, note] = /^---\n([^]*?)---\n([^]*)$/.exec(text) ?? ["", "", "", text]
      const weight = ["major", "minor", "patch"].findIndex((kind) => head.includes(`: ${kind}`))
      return { weight, note: note.trim() }
    })
    .sort((one, other) => one.weight - other.weight)
    .map(({ note }) => `- ${note.replaceAll("\n", "\n  ")}`)
  return notes.length === 0 ? "" : `\n## Next version\n\n${notes.join("\n")}\n`
}

/** What has been released. The face that everybody installs has the notes of all that changed with it. */
const released = () => {
  const file = join(root, "packages/node/CHANGELOG.md")
  return existsSync(file) ? `\n${readFileSync(file, "utf8").replace(/^# .*\n/, "")}` : ""
}

export const changelog = () => `${intro}${waiting()}${released()}`
