import { defineConfig } from "vitepress"
import { sidebar } from "./sidebar"

export default defineConfig({
  title: "Sluice",
  description: "An HTTP client for Effect whose connection pool cannot leak",
  base: process.env["SITE_BASE"] ?? "/",
  srcDir: "gathered",
  cleanUrls: true,
  lastUpdated: false,
  markdown: {
    // The URLs in messages and examples lead nowhere.
    linkify: false,
    // In the documents, `{{ }}` is text.
    config: (md) => {
      const inline = md.renderer.rules.code_inline
      md.renderer.rules.code_inline = (tokens, index, ...rest) => {
        tokens[index].attrSet("v-pre", "")
        return inline === undefined ? md.renderer.renderToken(tokens, index, rest[0]) : inline(tokens, index, ...rest)
      }
    }
  },
  themeConfig: {
    sidebar,
    nav: [
      { text: "Start", link: "/start" },
      { text: "Reference", link: "/reference/" },
      { text: "Troubleshooting", link: "/troubleshooting" }
    ],
    outline: [2, 3],
    search: {
      provider: "local",
      options: {
        miniSearch: {
          searchOptions: {
            fuzzy: 0.1,
            prefix: true,
            boost: { title: 4, text: 2, titles: 1 },
            // Who looks for a word wants the page about it; a name of the API is found nowhere else.
            boostDocument: (id: string) => id.includes("/reference/") || id.includes("/changelog") ? 0.2 : 1
          }
        }
      }
    }
  }
})
