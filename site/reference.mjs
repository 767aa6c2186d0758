// The reference of every public module, from its docstrings.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Application, Comment, Converter, ReflectionKind } from "typedoc"
import { root } from "./sources.mjs"

const packages = ["core", "node", "core4", "node4", "test-server"]

/** What a package's `exports` keep to themselves. */
const hidden = ["index.ts", "bin.ts"]

/** @param {string} name */
const modulesOf = (name) =>
  ["", "testing/"]
    .filter((folder) => existsSync(join(root, "packages", name, "src", folder)))
    .flatMap((folder) =>
      readdirSync(join(root, "packages", name, "src", folder))
        .filter((file) => file.endsWith(".ts") && !hidden.includes(file))
        .map((file) => `packages/${name}/src/${folder}${file}`)
    )

/**
 * What the module is for, as its file begins. It stands before the imports, where TypeDoc does not look.
 *
 * @param {string} file
 */
const summaryOf = (file) => {
  const [, comment = ""] = /^\/\*\*\n([^]*?)\n \*\//.exec(readFileSync(join(root, file), "utf8")) ?? []
  return comment.replace(/^ \* ?/gm, "").replace(/^@since .*$/m, "").trim()
}

/**
 * Writes a page for each module.
 *
 * @param {string} folder
 * @param {string} tsconfig
 */
export const writeReference = async (folder, tsconfig) => {
  const entryPoints = packages.flatMap(modulesOf)
  const app = await Application.bootstrapWithPlugins({
    plugin: ["typedoc-plugin-markdown"],
    entryPoints: entryPoints.map((file) => join(root, file)),
    tsconfig,
    // The compiler has checked them, with the project's own settings.
    skipErrorChecking: true,
    disableGit: true,
    disableSources: true,
    readme: "none",
    excludePrivate: true,
    excludeInternal: true,
    sort: ["source-order"],
    logLevel: "Error",
    router: "module",
    entryFileName: "index",
    hidePageHeader: true,
    hideBreadcrumbs: true,
    // Headings of the same name are numbered in one way here, and in another way by VitePress.
    useHTMLAnchors: true,
    pageTitleTemplates: {
      index: "Reference",
      module: ({ name }) => `@sluice/${name}`
    },
    useCodeBlocks: true,
    notRenderedTags: ["@since"],
    parametersFormat: "table",
    interfacePropertiesFormat: "list",
    blockTags: [
      "@category",
      "@deprecated",
      "@example",
      "@param",
      "@returns",
      "@see",
      "@since",
      "@template",
      "@throws"
    ]
  })
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    for (const module of context.project.getReflectionsByKind(ReflectionKind.Module)) {
      const text = summaryOf(`packages/${module.name}.ts`)
      module.name = module.name.replace("/src/", "/")
      module.comment = new Comment([{ kind: "text", text }])
    }
  })
  const project = await app.convert()
  if (project === undefined) throw new Error("TypeDoc could not read the packages")
  // Not `generateOutputs`, which empties a folder of its own choice.
  await app.outputs.writeOutput({ name: "markdown", path: folder }, project)
}
